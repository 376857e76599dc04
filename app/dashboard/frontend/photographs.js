// Photographs of a cell of the table, or any other few, with what can be done to them.
import { make, questions } from "./dom.js";
import { photoGrid } from "./photos.js";

function render({ model, el }) {
  const ask = questions(model);
  const root = make("div", { className: "cm-work" });
  el.append(root);
  function draw() {
    const items = model.get("items"), title = model.get("title");
    root.replaceChildren();
    if (title) root.append(make("h3", { textContent: title, tabIndex: -1 }));
    if (items.length) root.append(photoGrid({ items, people: model.get("people"), act: (act, values) => ask("act", { act, ...values }), root }));
  }
  model.on("change:items change:title", draw);
  draw();
}

export default { render };
