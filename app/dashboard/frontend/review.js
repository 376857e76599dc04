// Draws one page of photographs and sends what is clicked or typed; everything else is decided in Python.
import { button, make } from "./dom.js";

const DECIDED = { keep: "✓ kept", reject: "✗ rejected", relabel: "→ " };

function render({ model, el }) {
  let at = ""; // key of the card that has the keys
  const bar = make("p", { className: "review-help" });
  const whom = make("input", { className: "cm-where", placeholder: "another name…", aria: { label: "relabel: who it shows" } });
  const names = make("datalist", { id: `review-${Math.random().toString(36).slice(2)}` });
  whom.setAttribute("list", names.id);
  const relabel = make("p", { className: "cm-row" }, make("label", { textContent: "It shows " }, whom), names,
    make("span", { className: "cm-small", textContent: "type a few letters, Enter; Escape goes back" }));
  const grid = make("div", { className: "review-grid" });
  // JupyterLab would take letters for its own shortcuts.
  const root = make("div", { className: "review", tabIndex: 0, data: { lmSuppressShortcuts: "true" }, aria: { role: "group", label: "Review of photographs: K keep, R reject, U undo" } }, bar, relabel, grid);
  el.append(root);

  const items = () => model.get("items");
  const place = () => Math.max(0, items().findIndex((item) => item.key === at));
  const send = (key, action, name = "") => model.send({ key, action, name });

  function decide(key, action, name = "") {
    const number = items().findIndex((item) => item.key === key);
    at = (items()[number + 1] ?? items()[number])?.key ?? "";
    send(key, action, name);
    mark();
    root.focus({ preventScroll: true });
  }

  function card(item) {
    const lines = [item.person, item.note, item.action ? DECIDED[item.action] + item.name : ""].filter(Boolean);
    const figure = make("figure", { className: `review-card ${item.action}`, data: { key: item.key } },
      make("img", { src: item.picture, alt: `photograph filed under ${item.person}` }),
      make("figcaption", {}, ...lines.map((text) => make("div", { textContent: text }))),
      make("div", { className: "review-buttons" },
        button("✓", (event) => { event.stopPropagation(); decide(item.key, "keep"); }, { className: "", title: "keep (K)", tabIndex: -1 }),
        button("✗", (event) => { event.stopPropagation(); decide(item.key, "reject"); }, { className: "", title: "reject (R)", tabIndex: -1 }),
        button("→", (event) => { event.stopPropagation(); at = item.key; mark(); whom.focus(); }, { className: "", title: "relabel (L)", tabIndex: -1 })));
    figure.addEventListener("click", () => { at = item.key; mark(); root.focus({ preventScroll: true }); });
    return figure;
  }

  function mark(scroll = false) {
    const number = place();
    [...grid.children].forEach((child, index) => {
      child.classList.toggle("here", index === number);
      if (index === number && scroll) child.scrollIntoView({ block: "nearest" });
    });
  }

  function draw() {
    const had = root.contains(document.activeElement) && document.activeElement !== whom;
    const people = model.get("people");
    bar.textContent = `K keep, R reject, L relabel, U undo, ← → move, N next page, P page before${people.length <= 9 ? `; or who it shows:  ${people.map((name, index) => `${index + 1} ${name}`).join("   ")}` : ""}`;
    names.replaceChildren(...people.map((name) => new Option(name)));
    if (!items().some((item) => item.key === at)) at = items()[0]?.key ?? "";
    grid.replaceChildren(...items().map(card));
    if (!items().length) grid.textContent = "Nothing to review here.";
    mark();
    if (had) root.focus({ preventScroll: true });
  }

  whom.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") root.focus();
    if (event.key !== "Enter" || !whom.value.trim()) return;
    const typed = whom.value.trim(), people = model.get("people");
    const found = people.find((name) => name === typed) ?? people.find((name) => name.toLowerCase().startsWith(typed.toLowerCase())) ?? typed;
    whom.value = "";
    decide(at, "relabel", found);
  });

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === whom) return;
    const people = model.get("people"), key = event.key.toLowerCase();
    const columns = Math.max(1, Math.round(grid.clientWidth / ((grid.firstChild?.offsetWidth ?? 148) + 10)));
    const steps = { arrowleft: -1, arrowright: 1, arrowup: -columns, arrowdown: columns };
    if (key in steps) at = items()[Math.min(Math.max(place() + steps[key], 0), items().length - 1)]?.key ?? "";
    else if (key === "k" && at) decide(at, "keep");
    else if (key === "r" && at) decide(at, "reject");
    else if (key === "l" && at) whom.focus();
    else if (key === "u") send("", "undo");
    else if (key === "n" || key === "p") { at = ""; send("", key === "n" ? "next" : "before"); }
    else if (/^[1-9]$/.test(key) && people.length <= 9 && people[key - 1] && at) decide(at, "relabel", people[key - 1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    mark(true);
  });

  model.on("msg:custom", (message) => {
    if (message.at === undefined) return;
    at = message.at;
    mark(true);
    root.focus({ preventScroll: true });
  });
  model.on("change:items change:people", draw);
  draw();
}

export default { render };
