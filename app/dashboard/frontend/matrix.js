// A table of counts. Each count is a button, so that keyboards and screen readers reach it; arrows move inside.
import { make } from "./dom.js";

function render({ model, el }) {
  const root = make("div", { className: "cm-matrix" });
  el.append(root);

  function draw() {
    const rows = model.get("rows"), columns = model.get("columns"), counts = model.get("counts");
    const [atRow, atColumn] = model.get("chosen");
    if (!rows.length) { root.replaceChildren(); return; }
    const table = make("table", {}, make("caption", { className: "cm-small", textContent: "rows: who is on the photograph · columns: who was named" }));
    const head = table.createTHead().insertRow();
    head.append(make("td"), ...columns.map((name) => make("th", { scope: "col", className: "turned" }, make("span", { textContent: name, title: name }))));
    const body = table.createTBody();
    const peak = Math.max(1, ...counts.flat());
    rows.forEach((name, i) => {
      const row = body.insertRow();
      row.append(make("th", { textContent: name, scope: "row" }));
      columns.forEach((other, j) => {
        const count = Math.round(10 * counts[i][j]) / 10;
        const cell = make("button", { type: "button", textContent: count ? String(count) : "·", disabled: !count,
          className: name === other ? "right" : "wrong", tabIndex: -1,
          aria: { label: `${count} photographs of ${name} named as ${other}`, pressed: String(i === atRow && j === atColumn) },
          data: { row: i, column: j, shown: name, named: other }, on: { click: () => model.send({ shown: name, named: other }) } });
        cell.style.setProperty("--share", count ? 0.1 + 0.3 * count / peak : 0);
        row.insertCell().append(cell);
      });
    });
    root.replaceChildren(table);
    const first = root.querySelector(`button[data-row="${atRow}"][data-column="${atColumn}"]`) ?? root.querySelector("button:not(:disabled)");
    if (first) first.tabIndex = 0;
  }
  root.addEventListener("keydown", (event) => {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const here = document.activeElement?.dataset;
    if (!by || here?.row === undefined) return;
    event.preventDefault();
    let row = Number(here.row), column = Number(here.column), next = null;
    do {
      row += by[0];
      column += by[1];
      next = root.querySelector(`button[data-row="${row}"][data-column="${column}"]`);
    } while (next?.disabled);
    if (!next) return;
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  model.on("change:rows change:columns change:counts change:chosen", () => {
    const had = root.contains(document.activeElement) ? document.activeElement.dataset : null;
    draw();
    // By names: somebody who came or left has moved the others to other rows.
    if (had) [...root.querySelectorAll("button")].find(({ dataset }) => dataset.shown === had.shown && dataset.named === had.named)?.focus();
  });
  draw();
}

export default { render };
