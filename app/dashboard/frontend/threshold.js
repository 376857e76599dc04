// A slider that speaks only when a hand moves it.
import { button, make } from "./dom.js";

function render({ model, el }) {
  const slider = make("input", { type: "range", step: "any", aria: { label: "score that a face needs to be known" } });
  const value = make("output", {});
  const own = button("As training chose it", () => model.send({ own: true }));
  const root = make("div", { className: "cm-threshold" },
    make("span", { textContent: "more strangers pass" }), slider, make("span", { textContent: "more are called unknown" }), value, own);
  el.append(root);
  let held = false;
  slider.addEventListener("input", (event) => {
    if (!event.isTrusted) return;
    held = true;
    value.textContent = Number(slider.value).toFixed(2);
  });
  slider.addEventListener("change", (event) => {
    held = false;
    if (event.isTrusted) model.send({ moved: Number(slider.value) });
  });
  function draw() {
    root.hidden = !model.get("shown");
    if (held) return;
    slider.min = model.get("low");
    slider.max = model.get("high");
    slider.step = (model.get("high") - model.get("low")) / 200 || "any";
    slider.value = model.get("value");
    value.textContent = model.get("value").toFixed(2);
    own.disabled = Math.abs(model.get("value") - model.get("own")) < 1e-6;
  }
  model.on("change:low change:high change:value change:own change:shown", draw);
  draw();
}

export default { render };
