// Small pictures with a caption.
import { make } from "./dom.js";

function render({ model, el }) {
  const root = make("div", { className: "cm-pictures" });
  el.append(root);
  function draw() {
    const items = model.get("items");
    // decoding sync, or it would flicker under a slider
    root.replaceChildren(...items.map((item) => make("figure", {},
      make("img", { src: item.src, alt: item.alt || item.caption, decoding: "sync" }), make("figcaption", { textContent: item.caption }))));
    if (!items.length) root.textContent = model.get("empty");
  }
  model.on("change:items change:empty", draw);
  draw();
}

export default { render };
