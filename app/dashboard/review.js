// Draws one page of photographs and sends what is clicked or typed; everything else is decided in Python.
const MARKS = { keep: "✓ kept", reject: "✗ rejected", relabel: "→ " };

function render({ model, el }) {
  let at = 0;
  const root = document.createElement("div");
  root.className = "review";
  root.tabIndex = 0;
  // JupyterLab would take letters for its own shortcuts.
  root.dataset.lmSuppressShortcuts = "true";
  root.setAttribute("role", "application");
  root.setAttribute("aria-label", "Review of photographs");
  const bar = document.createElement("p");
  bar.className = "review-help";
  const grid = document.createElement("div");
  grid.className = "review-grid";
  root.append(bar, grid);
  el.append(root);

  const send = (index, action, name = "") => model.send({ index, action, name });

  function button(text, title, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.title = title;
    made.addEventListener("click", (event) => { event.stopPropagation(); act(); });
    return made;
  }

  function card(item, index) {
    const figure = document.createElement("figure");
    figure.className = `review-card ${item.action}`;
    const picture = document.createElement("img");
    picture.src = item.picture;
    picture.alt = `photograph filed under ${item.person}`;
    const caption = document.createElement("figcaption");
    const lines = [item.person, item.note, item.action ? MARKS[item.action] + item.name : ""];
    for (const line of lines.filter(Boolean)) {
      const row = document.createElement("div");
      row.textContent = line;
      caption.append(row);
    }
    const choose = document.createElement("select");
    choose.title = "relabel: it shows somebody else";
    choose.setAttribute("aria-label", `relabel photograph ${index + 1}`);
    for (const name of ["→ …", ...model.get("people")]) choose.add(new Option(name));
    choose.addEventListener("change", () => { if (choose.selectedIndex) send(index, "relabel", choose.value); });
    const buttons = document.createElement("div");
    buttons.className = "review-buttons";
    buttons.append(
      button("✓", "keep (K)", () => send(index, "keep")),
      button("✗", "reject (R)", () => send(index, "reject")),
      choose,
    );
    figure.append(picture, caption, buttons);
    figure.addEventListener("click", () => { at = index; mark(); root.focus({ preventScroll: true }); });
    return figure;
  }

  function mark() {
    [...grid.children].forEach((child, index) => child.classList.toggle("here", index === at));
  }

  function draw() {
    const items = model.get("items");
    at = Math.min(at, Math.max(items.length - 1, 0));
    const names = model.get("people").slice(0, 9).map((name, index) => `${index + 1} ${name}`).join("   ");
    bar.textContent = `Click a picture, then type: K keep, R reject, U undo, ← → move, N next page, P page before; or who it shows:  ${names}`;
    grid.replaceChildren(...items.map(card));
    if (!items.length) grid.textContent = "Nothing to review here.";
    mark();
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const items = model.get("items"), people = model.get("people"), key = event.key.toLowerCase();
    const columns = Math.max(1, Math.floor(grid.clientWidth / 148));
    const steps = { arrowleft: -1, arrowright: 1, arrowup: -columns, arrowdown: columns };
    const next = () => { at = Math.min(at + 1, items.length - 1); };
    if (key in steps) at = Math.min(Math.max(at + steps[key], 0), items.length - 1);
    else if (key === "k" && items.length) { send(at, "keep"); next(); }
    else if (key === "r" && items.length) { send(at, "reject"); next(); }
    else if (key === "u") send(0, "undo");
    else if (key === "n" || key === "p") { at = 0; send(0, key === "n" ? "next" : "before"); }
    else if (/^[1-9]$/.test(key) && people[key - 1] && items.length) { send(at, "relabel", people[key - 1]); next(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
    mark();
  });

  model.on("change:items change:people", draw);
  draw();
}

export default { render };
