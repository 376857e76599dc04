// Small pictures with a caption, and a button to remove one where that is allowed.
const MARKS = { good: "✓", warn: "!", bad: "✗" };

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "cm-pictures";
  el.append(root);

  function card(item, index) {
    const figure = document.createElement("figure");
    figure.className = item.mark ? `cm-${item.mark}` : "";
    const picture = document.createElement("img");
    picture.src = item.src;
    picture.alt = item.alt || item.caption;
    picture.decoding = "sync"; // or it would flicker under a slider
    const caption = document.createElement("figcaption");
    caption.textContent = `${MARKS[item.mark] ?? ""} ${item.caption}`.trim();
    figure.append(picture, caption);
    if (model.get("removable")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "×";
      button.title = "remove this photograph";
      button.setAttribute("aria-label", `remove ${item.alt || item.caption}`);
      button.addEventListener("click", () => model.send({ remove: index }));
      figure.append(button);
    }
    return figure;
  }

  function draw() {
    root.replaceChildren(...model.get("items").map(card));
    if (!model.get("items").length) root.textContent = model.get("empty");
  }
  model.on("change:items change:empty", draw);
  draw();
}

export default { render };
