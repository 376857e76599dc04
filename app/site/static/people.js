// The people that the model knows, and the examples to try.
import { $, make } from "./dom.js";

const SHOWN = 12; // people with their portraits at once; the others are one click away
const EXAMPLES = 10;

export function initials(name) {
  return name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2);
}

export function showPeople(people) {
  $("people-title").textContent = people.length > 1 ? `The ${people.length} people it knows` : "People it knows";
  $("people").replaceChildren(...people.slice(0, SHOWN).map(tile));
  $("wrong-name").replaceChildren(
    make("option", { value: "", textContent: "Choose…", disabled: true, selected: true }),
    ...people.map(({ name, display_name }) => make("option", { value: name, textContent: display_name ?? name })),
    make("option", { value: "-", textContent: "Somebody else" }));
  if (people.length <= SHOWN) return;
  const more = make("button", { type: "button", textContent: `All ${people.length}` });
  more.addEventListener("click", () => {
    more.remove();
    $("people").append(...people.slice(SHOWN).map(tile));
  });
  $("people").after(more);
}

function tile({ name, display_name, portrait }) {
  const called = display_name ?? name;
  const picture = portrait
    ? make("img", { className: "portrait", src: portrait, alt: "", loading: "lazy", width: 72, height: 72 })
    : make("span", { className: "portrait", textContent: initials(called), "aria-hidden": "true" });
  return make("li", {}, picture, called);
}

export function showExamples(examples, choose) {
  $("examples-part").hidden = !examples.length;
  $("examples").replaceChildren(...examples.slice(0, EXAMPLES).map((example, index) => {
    const { address, thumbnail } = typeof example === "string" ? { address: example, thumbnail: example } : example;
    const name = `Example ${index + 1}`;
    const button = make("button", { type: "button" }, make("img", { src: thumbnail, alt: name, loading: "lazy", width: 72, height: 72 }));
    button.addEventListener("click", () => choose(name, address));
    return make("li", {}, button);
  }));
}
