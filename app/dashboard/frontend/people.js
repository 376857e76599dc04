// A card for each person: portrait, name, photographs, and everything that can be done with them.
import { button, dialog, make, plural, tell } from "./dom.js";
import { chosenFiles, filesOf, KINDS, peopleOf } from "./intake.js";
import { recorder } from "./camera.js";
import { photoGrid } from "./photos.js";

const BLANK = "celebml-blank"; // cards that have no photographs yet, kept over a reload

export function peopleCards({ model, act, send, cam, root, said }) {
  const list = make("div", { className: "cm-cards" });
  const cards = new Map();
  let blanks = JSON.parse(sessionStorage.getItem(BLANK) ?? "null");
  const names = () => model.get("people").map((person) => person.name);
  const add = button("+ Add a person", () => newBlank(true), { className: "cm-button cm-add" });

  function keepBlanks() { sessionStorage.setItem(BLANK, JSON.stringify(blanks)); }

  function freeName() {
    const taken = new Set([...names(), ...blanks.map((blank) => blank.name)]);
    let number = 1;
    while (taken.has(`Person ${number}`)) number += 1;
    return `Person ${number}`;
  }

  function newBlank(focus) {
    blanks.push({ id: `blank-${Date.now()}-${blanks.length}`, name: freeName() });
    keepBlanks();
    draw();
    if (focus) { const input = cards.get(blanks.at(-1).id).input; input.focus(); input.select(); }
  }

  // One card; `person` is what Python says, or a blank one.
  function card(id) {
    let person = null, recording = null;
    const portrait = make("img", { className: "cm-portrait", loading: "lazy", alt: "", width: 64, height: 64 });
    const input = make("input", { className: "cm-name", maxLength: 80, spellcheck: false, aria: { label: "name" } });
    const count = make("p", { className: "cm-small" });
    const ask = button("", () => askFaces(), { className: "cm-button cm-ask", hidden: true });
    const faces = make("div", { className: "cm-newest" });
    const all = button("", () => showAll(), { className: "cm-button cm-all" });
    const strip = make("div", { className: "cm-strip", hidden: true }, faces, all);
    const files = make("input", { type: "file", accept: KINDS, multiple: true, hidden: true, className: "cm-files" });
    const folder = make("input", { type: "file", webkitdirectory: true, hidden: true, className: "cm-folder" });
    const menu = make("details", { className: "cm-menu" }, make("summary", { textContent: "⋯", title: "more", aria: { label: "more to do" } }));
    const place = make("div", { className: "cm-place" });
    const problem = make("p", { className: "cm-problem", aria: { role: "status" } });
    const record = button("Camera", () => toggleCamera(), { aria: { pressed: "false" } });
    const made = make("article", { className: "cm-card-person" },
      make("div", { className: "cm-head" }, portrait, make("div", { className: "cm-who" }, input, count), menu),
      strip, ask,
      make("div", { className: "cm-row" },
        button("Photographs", () => files.click()), button("Folder", () => folder.click()), record, files, folder),
      place, problem);

    const current = () => input.value.trim() || person.name;
    const take = (found) => {
      // Whoever drops sees this name on the card now: it goes with the files, whether or not Enter was pressed.
      if (person.blank) { person.name = current(); keepBlanks(); } else if (current() !== person.name) rename();
      send(found, peopleOf(found, current()));
    };
    files.addEventListener("change", () => { take(chosenFiles(files)); files.value = ""; });
    folder.addEventListener("change", () => {
      const found = chosenFiles(folder);
      if (person.blank && input.value === person.name && /^Person \d+$/.test(person.name)) input.value = found[0]?.path.split("/").slice(-2, -1)[0] || input.value;
      take(found);
      folder.value = "";
    });
    made.addEventListener("dragover", (event) => { event.preventDefault(); made.classList.add("over"); });
    made.addEventListener("dragleave", (event) => { if (!made.contains(event.relatedTarget)) made.classList.remove("over"); });
    made.addEventListener("drop", async (event) => {
      event.preventDefault();
      made.classList.remove("over");
      const found = await filesOf(event.dataTransfer);
      const parent = found[0]?.path.split("/").slice(-2, -1)[0];
      if (parent && person.blank && /^Person \d+$/.test(current())) input.value = parent; // the folder's name, seen
      take(found);
    });
    made.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      event.stopPropagation();
      take([...event.clipboardData.files].map((file) => ({ file, path: file.name })));
    });

    async function rename(merge = false) {
      const wanted = input.value.trim();
      if (!wanted || wanted === person.name) { input.value = person.name; return; }
      if (person.blank) { person.name = wanted; keepBlanks(); return; }
      const answer = await act("rename", { person: person.name, name: wanted, merge });
      tell(problem, answer.problem ?? "");
      if (answer.conflict) {
        problem.textContent = `There is a ${answer.conflict} already. `;
        problem.append(button("Put them together", () => { tell(problem, ""); rename(true); }),
          button("No", () => { input.value = person.name; tell(problem, ""); }));
      }
    }
    input.addEventListener("change", () => rename());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") input.blur();
      if (event.key === "Escape") { input.value = person.name; input.blur(); }
    });

    function toggleCamera() {
      if (recording) { recording.close(); recording = null; } else {
        recording = recorder({ cam, make, button, take, said: (text) => tell(problem, text, true) });
        place.append(recording.root);
      }
      record.setAttribute("aria-pressed", String(Boolean(recording)));
    }

    async function showAll() {
      const answer = await act("photos", { person: person.name });
      dialog(`${person.name}: ${plural(answer.items.length, "photograph")}`, root,
        photoGrid({ items: answer.items, people: names(), act, root, person: person.name }));
    }

    async function askFaces() {
      const answer = await act("asks", { person: person.name });
      const place = make("div", { className: "cm-asks" });
      const box = dialog(`Which face is ${person.name}?`, root, place);
      const next = () => {
        const item = answer.items.shift();
        if (!item) { box.close(); return; }
        const photo = make("div", { className: "cm-photo" }, make("img", { src: item.whole, alt: "the whole photograph" }));
        item.boxes.forEach(([x, y, w, h], number) => {
          const pick = make("button", { type: "button", className: `cm-box${number === item.likely ? " cm-likely" : ""}`,
            aria: { label: `face ${number + 1}${number === item.likely ? ", the likeliest" : ""}` },
            on: { click: async () => { await act("face", { place: item.place, number }); next(); } } },
          make("span", { textContent: number + 1 }));
          Object.assign(pick.style, { left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * w}%`, height: `${100 * h}%` });
          photo.append(pick);
        });
        place.replaceChildren(photo, make("div", { className: "cm-row" },
          make("span", { className: "cm-small", textContent: `Click the face that is ${person.name}.${answer.items.length ? ` ${answer.items.length} more.` : ""}` }),
          button("None of them: remove", async () => { await act("remove", { places: [item.place] }); next(); }),
          button("Later", next)));
        photo.querySelector(".cm-likely, .cm-box")?.focus();
      };
      next();
    }

    function fillMenu() {
      const entry = (text, run) => button(text, () => { menu.open = false; run(); }, { className: "cm-button cm-entry" });
      const entries = [entry("Rename", () => { input.focus(); input.select(); })];
      if (!person.blank) entries.push(entry("See all photographs", showAll), entry("Put together with…", mergeWith));
      entries.push(entry("Remove this person", async () => {
        if (person.blank) { blanks = blanks.filter((blank) => blank.id !== id); keepBlanks(); draw(); } else await act("remove_person", { person: person.name });
        add.focus();
      }));
      menu.replaceChildren(menu.firstChild, make("div", { className: "cm-entries" }, ...entries));
    }
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") { menu.open = false; menu.firstChild.focus(); } });
    menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });

    function mergeWith() {
      const others = names().filter((name) => name !== person.name);
      const choose = make("select", { aria: { label: "whom" } }, ...others.map((name) => new Option(name)));
      const box = dialog(`Put ${person.name} together with`, root, make("div", { className: "cm-row" }, choose,
        button("Put together", async () => { await act("rename", { person: person.name, name: choose.value, merge: true }); box.close(); }, { className: "cm-button cm-main" })));
    }

    function update(value) {
      const changed = !person || person.blank !== value.blank;
      if (!person || (document.activeElement !== input && input.value !== value.name)) input.value = value.name;
      person = value;
      if (changed) fillMenu();
      made.classList.toggle("blank", Boolean(value.blank));
      made.setAttribute("aria-label", value.name);
      portrait.src = value.portrait || "data:,";
      portrait.hidden = !value.portrait;
      tell(count, value.blank ? "Drop photographs here, or a folder or a zip." : describe(value));
      ask.hidden = !value.asks;
      ask.textContent = value.asks ? `${plural(value.asks, "photograph shows", "photographs show")} several faces: which is ${value.name}?` : "";
      const sources = (value.newest ?? []).join("\n");
      if (faces.dataset.sources !== sources) {
        faces.dataset.sources = sources;
        faces.replaceChildren(...(value.newest ?? []).map((src) => make("img", { loading: "lazy", decoding: "async", src, alt: "", width: 40, height: 40 })));
      }
      strip.hidden = !value.count;
      tell(all, `All ${value.count}`);
      all.setAttribute("aria-label", `all ${value.count} photographs of ${value.name}`);
    }
    return { made, input, update, close: () => recording?.close() };
  }

  function describe(person) {
    const faceless = person.looked - person.faces;
    return [plural(person.count, "photograph"), faceless ? `${faceless} without a face` : "",
      person.count < 3 ? "two more at least" : person.count < 8 ? "a few more help" : ""].filter(Boolean).join(" · ");
  }

  function draw() {
    const people = model.get("people");
    blanks ??= people.length ? [] : [{ id: "blank-1", name: "Person 1" }, { id: "blank-2", name: "Person 2" }];
    const known = new Set(people.map((person) => person.name.toLowerCase()));
    blanks = blanks.filter((blank) => !known.has(blank.name.toLowerCase()));
    keepBlanks();
    const wanted = [...people.map((person) => [`p:${person.name}`, person]), ...blanks.map((blank) => [blank.id, Object.assign(blank, { blank: true })])];
    const ids = new Set(wanted.map(([id]) => id));
    // A renamed or first-filled card keeps its place, its focus and its camera.
    const orphans = [...cards.keys()].filter((id) => !ids.has(id));
    for (const [id, value] of wanted) {
      if (cards.has(id)) continue;
      const same = orphans.find((old) => cards.get(old).input.value.trim().toLowerCase() === value.name.toLowerCase());
      if (same) { cards.set(id, cards.get(same)); cards.delete(same); orphans.splice(orphans.indexOf(same), 1); } else cards.set(id, card(id));
    }
    for (const id of orphans) { cards.get(id).close(); cards.get(id).made.remove(); cards.delete(id); }
    wanted.forEach(([id, value], number) => {
      const one = cards.get(id);
      one.update(value);
      if (list.children[number] !== one.made) list.insertBefore(one.made, list.children[number] ?? null);
    });
    if (list.lastChild !== add) list.append(add); // moved only if need be: a button that moves under a click misses it
  }

  // Pasted beside the cards: it belongs to the last card that was touched, or to the first blank one.
  let touched = null;
  list.addEventListener("focusin", (event) => { touched = event.target.closest("article") ?? touched; });
  document.addEventListener("paste", (event) => {
    if (event.defaultPrevented || !event.clipboardData?.files.length || !list.offsetParent || event.target.closest?.(".cm-answer")) return;
    const target = touched?.isConnected ? touched : list.querySelector("article.blank") ?? list.querySelector("article");
    if (!target || root.querySelector(".cm-answer:hover")) return;
    target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: event.clipboardData, bubbles: false, cancelable: true }));
  });

  model.on("change:people", draw);
  draw();
  return { root: list };
}
