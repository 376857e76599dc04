// Asks Python for a file and hands it to the browser.
function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cm-button cm-main";
  const draw = () => { button.textContent = model.get("text"); button.disabled = !model.get("ready"); };
  button.addEventListener("click", () => { button.disabled = true; model.send({ want: true }); });
  model.on("msg:custom", (message, buffers) => {
    draw();
    if (!message.name) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers[0]], { type: "application/zip" }));
    link.download = message.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  model.on("change:text change:ready", draw);
  draw();
  el.append(button);
}

export default { render };
