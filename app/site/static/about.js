// The model card, whose little Markdown (headings, lists, tables, code, bold) becomes elements.
import { $, make } from "./dom.js";
import { asFailure } from "./failure.js";

export function listenToAbout(engine) {
  $("about-close").addEventListener("click", () => $("about").close());
  $("about-open").addEventListener("click", async () => {
    $("about").showModal();
    try {
      const model = await engine.about();
      $("about-facts").textContent = `Recipe ${model.recipe} · ${model.people.length} people · bundle ${model.bundle} · celebml ${model.celebml}`;
      $("card").replaceChildren(...cardElements(model.card || "This bundle brings no model card."));
    } catch (error) {
      $("card").replaceChildren(make("p", { className: "problem", textContent: asFailure(error).words }));
    }
  });
}

function cardElements(markdown) {
  const parts = [];
  let list = null;
  let table = null;
  for (const line of markdown.split("\n")) {
    const heading = line.match(/^(#{1,4})\s+(.*)/);
    const item = line.match(/^\s*[-*]\s+(.*)/);
    const cells = line.match(/^\s*\|(.*)\|\s*$/);
    if (!item) list = null;
    if (!cells) table = null;
    if (heading) parts.push(make(heading[1].length < 3 ? "h3" : "h4", {}, ...inline(heading[2])));
    else if (item) {
      if (!list) parts.push((list = make("ul")));
      list.append(make("li", {}, ...inline(item[1])));
    } else if (cells) {
      const row = cells[1].split("|").map((cell) => cell.trim());
      if (row.every((cell) => /^:?-+:?$/.test(cell))) continue;
      const tag = table ? "td" : "th";
      if (!table) parts.push((table = make("table")));
      table.append(make("tr", {}, ...row.map((cell) => make(tag, {}, ...inline(cell)))));
    } else if (line.trim()) parts.push(make("p", {}, ...inline(line)));
  }
  return parts;
}

function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).filter(Boolean).map((part) => {
    if (part.startsWith("**")) return make("strong", { textContent: part.slice(2, -2) });
    if (part.startsWith("`")) return make("code", { textContent: part.slice(1, -1) });
    return part;
  });
}
