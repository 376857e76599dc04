// Photographs to act on where they are looked at: choose some, then move them, remove them, or see one whole.
import { button, dialog, make, plural } from "./dom.js";

const MARKS = { good: "", warn: "!", bad: "✗" };

// items: [{ place, src, caption, mark, person, whole }]; act(kind, values) asks Python and gives a promise.
export function photoGrid({ items, people, act, root, person = "" }) {
  const done = []; // numbers of the photographs of each act, for the way back
  let chosen = new Set(), last = 0;
  const grid = make("div", { className: "cm-faces", aria: { role: "group", label: `${plural(items.length, "photograph")}` } });
  const said = make("span", { className: "cm-small", aria: { role: "status" } });
  const where = make("input", { className: "cm-where", placeholder: "move to…", aria: { label: "move to whom" } });
  const names = make("datalist", { id: `people-${Math.random().toString(36).slice(2)}` }, ...people.map((name) => new Option(name)));
  where.setAttribute("list", names.id);
  const move = button("Move", () => run("move", { person: where.value }));
  const remove = button("Remove", () => run("remove"));
  const whole = button("Whole photograph", () => look([...chosen][0]));
  const undo = button("Undo", takeBack, { hidden: true });
  const bar = make("div", { className: "cm-row cm-actions" }, said, where, names, move, remove, whole, undo);
  const tiles = items.map(tile);
  grid.append(...tiles);
  if (!items.length) grid.append(make("p", { className: "cm-small", textContent: "No photographs here." }));
  tiles[0]?.setAttribute("tabindex", "0");
  mark();

  function tile(item, number) {
    const picture = make("img", { src: item.src, alt: "", loading: "lazy", decoding: "async", width: 96, height: 96 });
    const words = item.caption === "face found" ? "" : [MARKS[item.mark] ?? "", item.caption].filter(Boolean).join(" ");
    const made = make("button", {
      type: "button", className: `cm-tile cm-${item.mark || "good"}`, tabIndex: -1,
      aria: { pressed: "false", label: `${item.person ?? ""} ${item.file ?? ""}, ${item.caption}`.trim() },
      on: {
        click: (event) => choose(number, event.shiftKey),
        dblclick: () => look(number),
        keydown: (event) => step(event, number),
      },
    }, picture, make("span", { textContent: words }));
    return made;
  }

  function choose(number, range) {
    if (range) for (let k = Math.min(last, number); k <= Math.max(last, number); k += 1) chosen.add(k);
    else if (chosen.has(number)) chosen.delete(number);
    else chosen.add(number);
    last = number;
    focus(number);
    mark();
  }

  function step(event, number) {
    const across = Math.max(1, Math.round(grid.clientWidth / (tiles[0].offsetWidth + 8)));
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (by) focus(Math.min(Math.max(number + by, 0), tiles.length - 1));
    else if (event.key === "Delete") { if (!chosen.size) chosen.add(number); run("remove"); }
    else if (event.key === "Enter") look(number);
    else return;
    event.preventDefault();
  }

  function focus(number) {
    tiles.forEach((one, k) => { one.tabIndex = k === number ? 0 : -1; });
    tiles[number]?.focus();
  }

  function mark() {
    tiles.forEach((one, k) => one.setAttribute("aria-pressed", String(chosen.has(k))));
    said.textContent = chosen.size ? `${chosen.size} chosen` : items.length ? "Choose photographs to move or remove them." : "";
    move.disabled = remove.disabled = !chosen.size;
    whole.disabled = chosen.size !== 1;
  }

  function look(number) {
    const item = items[number];
    if (!item) return;
    const picture = make("img", { src: item.whole, className: "cm-whole", alt: `the whole photograph, ${item.caption}` });
    dialog(item.person || "Photograph", root, picture, make("p", { className: "cm-small", textContent: item.file ?? "" }));
  }

  async function run(kind, values = {}) {
    if (kind === "move" && !values.person.trim()) { where.focus(); said.textContent = "To whom? Type a name."; return; }
    const numbers = [...chosen];
    const answer = await act(kind, { places: numbers.map((k) => items[k].place), ...values });
    if (answer.problem) { said.textContent = answer.problem; return; }
    for (const k of numbers) { tiles[k].hidden = kind === "remove" || values.person !== person; }
    done.push(numbers);
    undo.hidden = false;
    chosen = new Set();
    mark();
    said.textContent = answer.said ?? "Done.";
    const next = tiles.findIndex((one, k) => k >= (numbers[0] ?? 0) && !one.hidden);
    if (next >= 0) focus(next);
  }

  async function takeBack() {
    const answer = await act("undo");
    if (answer.problem) { said.textContent = answer.problem; return; }
    const number = (done.pop() ?? []).map((k) => { tiles[k].hidden = false; return k; })[0];
    undo.hidden = !done.length;
    if (number !== undefined) focus(number);
    said.textContent = answer.said ?? "Taken back.";
  }

  return make("div", { className: "cm-photos" }, items.length ? bar : null, grid);
}
