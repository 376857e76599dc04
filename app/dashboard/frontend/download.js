// Asks Python for a file and hands it to the browser.
import { button } from "./dom.js";

function render({ model, el }) {
  const made = button("", () => { made.disabled = true; model.send({ want: true }); });
  const draw = () => {
    made.textContent = model.get("text");
    made.disabled = !model.get("ready");
    made.classList.toggle("cm-main", model.get("main"));
  };
  model.on("msg:custom", (message, buffers) => {
    draw();
    if (!message.name) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers[0]], { type: message.type }));
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  model.on("change:text change:ready change:main", draw);
  draw();
  el.append(made);
}

export default { render };
