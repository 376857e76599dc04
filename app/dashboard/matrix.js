// A table of counts. Each count is a button, so that keyboards and screen readers reach it.
function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "cm-matrix";
  el.append(root);

  const cell = (tag, text, scope) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (scope) made.scope = scope;
    return made;
  };

  function draw() {
    const rows = model.get("rows"), columns = model.get("columns"), counts = model.get("counts");
    const [atRow, atColumn] = model.get("chosen");
    if (!rows.length) { root.replaceChildren(); return; }
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    head.append(cell("th", "shows ↓  named as →"), ...columns.map((name) => cell("th", name, "col")));
    const body = table.createTBody();
    const peak = Math.max(1, ...counts.flat());
    rows.forEach((name, i) => {
      const row = body.insertRow();
      row.append(cell("th", name, "row"));
      columns.forEach((other, j) => {
        const count = counts[i][j];
        const button = cell("button", count ? String(Math.round(10 * count) / 10) : "·");
        button.type = "button";
        button.disabled = !count;
        button.className = name === other ? "right" : "wrong";
        button.style.setProperty("--share", count ? 0.15 + 0.6 * count / peak : 0);
        button.setAttribute("aria-label", `${count} photographs of ${name} named as ${other}`);
        button.setAttribute("aria-pressed", String(i === atRow && j === atColumn));
        button.addEventListener("click", () => model.send({ row: i, column: j }));
        row.insertCell().append(button);
      });
    });
    root.replaceChildren(table);
  }
  model.on("change:rows change:columns change:counts change:chosen", () => {
    const had = [...root.querySelectorAll("button")].indexOf(document.activeElement);
    draw();
    if (had >= 0) root.querySelectorAll("button")[had]?.focus();
  });
  draw();
}

export default { render };
