// The overview of many answers: a portrait and a name each, to filter, to choose from, to copy and to download.
import { $, make, percent } from "./dom.js";
import { asCSV, asJSON, asText } from "./exports.js";
import { verdict } from "./words.js";

const SIDE = 112; // pixels of a portrait, shown at half of that

export function strip({ choose, clear, results, known }) {
  $("strip-filter").addEventListener("input", filter);
  $("strip-clear").addEventListener("click", () => {
    clear();
    $("strip-list").replaceChildren();
    $("strip-filter").value = "";
    $("pick").focus();
  });
  $("strip-copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(asText(visible(), known.call));
    $("status").textContent = $("strip-said").textContent = "Copied.";
  });
  $("strip-csv").addEventListener("click", () => save("answers.csv", "text/csv", asCSV(visible(), known.call)));
  $("strip-json").addEventListener("click", () => save("answers.json", "application/json", asJSON(visible(), known.call)));

  const visible = () => results.filter(({ tile }) => !tile.hidden);

  function filter() {
    const wanted = $("strip-filter").value.trim().toLowerCase();
    for (const { tile, words } of results) tile.hidden = wanted !== "" && !words.toLowerCase().includes(wanted);
    tally();
  }

  function tally() {
    const shown = visible().length;
    const done = results.filter(({ answer, failed }) => answer || failed).length;
    const looked = done < results.length ? `${done} of ${results.length} looked at` : `${results.length} photographs`;
    $("strip-said").textContent = shown < results.length ? `${shown} of ${results.length} shown` : looked;
  }

  function add(result) {
    const picture = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const label = make("span", { textContent: "…" });
    const button = make("button", { type: "button", className: "tile", title: result.item.name }, picture, label);
    button.addEventListener("click", () => choose(result));
    Object.assign(result, { tile: make("li", {}, button), button, label, picture, words: result.item.name });
    const after = results[results.indexOf(result) - 1]?.tile;
    if (after) after.after(result.tile);
    else $("strip-list").prepend(result.tile);
  }

  function update(result) {
    const { answer, failed, label } = result;
    const [first, ...others] = answer?.faces ?? [];
    label.replaceChildren(failed ? "could not be read" : !answer ? "…" : first ? briefly(first) : "no face");
    if (first && first.known !== false) label.append(make("span", { className: "much", textContent: percent(first.probability) }));
    if (others.length) label.append(make("span", { className: "much", textContent: `and ${others.length} more` }));
    result.button.classList.toggle("failed", Boolean(failed));
    result.words = `${result.item.name} ${(answer?.faces ?? []).map(inWords).join(" ")} ${label.textContent}`;
    if (answer) drawPortrait(result);
    filter();
  }

  const inWords = (face) => (face.known === false ? "unknown" : verdict(face, known.call));
  const briefly = (face) => inWords(face).split(", perhaps")[0];

  function show(on, chosen) {
    $("strip").hidden = !on;
    for (const one of results) one.button.setAttribute("aria-pressed", String(one === chosen));
    tally();
  }

  return { add, update, show };
}

// The biggest face with some of its surroundings, or the middle of the photograph.
async function drawPortrait({ answer, address, picture }) {
  if (!address) return;
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
  } catch {
    return; // it was cleared meanwhile
  }
  const scale = image.naturalWidth / answer.width;
  const box = answer.faces[0]?.box;
  const side = box ? 1.5 * Math.max(box.width, box.height) * scale : Math.min(image.naturalWidth, image.naturalHeight);
  const x = box ? (box.x + box.width / 2) * scale : image.naturalWidth / 2;
  const y = box ? (box.y + box.height / 2) * scale : image.naturalHeight / 2;
  picture.getContext("2d").drawImage(image, x - side / 2, y - side / 2, side, side, 0, 0, SIDE, SIDE);
}

function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
