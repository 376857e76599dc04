// The pages, as tabs; and what keeps the page in touch with its kernel.
import { make, tell } from "./dom.js";

function render({ model, el }) {
  const tabs = new Map();
  const list = make("div", { className: "cm-tabs", aria: { role: "tablist", label: "pages" } });
  for (const name of model.get("names")) {
    const tab = make("button", { type: "button", textContent: name, aria: { role: "tab" }, on: { click: () => turn(name) } });
    tabs.set(name, tab);
    list.append(tab);
  }
  function turn(name) { model.set("chosen", name); model.save_changes(); }
  list.addEventListener("keydown", (event) => {
    const names = model.get("names"), at = names.indexOf(model.get("chosen"));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const name = names[(to + names.length) % names.length];
    turn(name);
    tabs.get(name).focus();
  });
  function draw() {
    for (const [name, tab] of tabs) {
      tab.setAttribute("aria-selected", String(name === model.get("chosen")));
      tab.tabIndex = name === model.get("chosen") ? 0 : -1;
    }
  }
  model.on("change:chosen", draw);
  draw();

  const asleep = make("p", { className: "cm-asleep", hidden: true, aria: { role: "alert" } });
  el.append(make("div", { className: "cm-top" }, make("h1", { textContent: "celebml" }), list), asleep);
  return watchKernel(model, asleep);
}

// A kernel that is gone, or a server that was stopped, is said within seconds; when the server is back, so is the page.
function watchKernel(model, asleep) {
  const config = document.getElementById("jupyter-config-data");
  const kernel = config ? JSON.parse(config.textContent).kernelId : "";
  if (!kernel || !model.get("served")) return undefined;
  const leave = (event) => { if (!event.persisted) navigator.sendBeacon(`celebml/close/${kernel}`); };
  window.addEventListener("pagehide", leave);
  let gone = false;
  const beat = setInterval(async () => {
    if (document.hidden && !gone) return;
    let alive = null;
    try { alive = (await (await fetch(`celebml/alive/${kernel}`)).json()).kernel; } catch { alive = null; }
    if (alive === null) {
      gone = true;
      asleep.hidden = false;
      tell(asleep, "The dashboard was stopped. Everything that was kept is safe; this page goes on when it is started again.");
    } else if (alive === false) {
      clearInterval(beat);
      location.reload(); // the server has another kernel for it
    } else if (gone) { gone = false; asleep.hidden = true; }
  }, 2000);
  return () => { clearInterval(beat); window.removeEventListener("pagehide", leave); };
}

export default { render };
