// The page: asks what the server offers, takes photographs in, and shows the answers, newest first.
import { cardElements } from "./about.js";
import { ask, classify, Failure, getJSON, sendCorrection } from "./api.js";
import { listen, shrink } from "./intake.js";
import { make, newResult, sentence, showAnswer, showFailure } from "./results.js";

const $ = (id) => document.getElementById(id);
const AT_ONCE = 2;
const waiting = [];
let running = 0;
let offers = { explain: false, fetch: false, feedback: false, max_bytes: 20e6, max_files: 16 };

function say(text) {
  $("status").textContent = text;
}

function take(items) {
  if (!items.length) return;
  $("empty").hidden = true;
  for (const item of items) {
    const view = newResult(item.name);
    $("results").prepend(view.article);
    waiting.push({ item, view });
  }
  $("results").firstElementChild.scrollIntoView({ block: "nearest" });
  say(items.length === 1 ? `Looking at ${items[0].name}` : `Looking at ${items.length} photographs`);
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    const { item, view } = waiting.shift();
    running += 1;
    answer(item, view).finally(() => {
      running -= 1;
      next();
    });
  }
}

async function answer(item, view) {
  try {
    if (item.load) item.blob = await item.load();
    if (item.blob) item.blob = await shrink(item.blob, offers.max_bytes);
    const found = await classify(item);
    const address = item.blob ? await displayable(item.blob) : null;
    showAnswer(view, found, address, actionsFor(item));
    say(`${item.name}: ${found.faces.length ? found.faces.map(sentence).join("; ") : "no face was found"}`);
  } catch (error) {
    if (!(error instanceof Failure)) console.error(error);
    const shown = error instanceof Failure ? error : new Failure("Something in this page went wrong.", "Reload it and try again.");
    showFailure(view, shown, () => {
      view.body.replaceChildren(make("p", { className: "waiting", textContent: "Looking…" }));
      waiting.push({ item, view });
      next();
    });
    say(`${item.name}: ${shown.message} ${shown.hint}`);
  }
}

// An address that an <img> can show, or null for a format that only the server knows.
async function displayable(blob) {
  const address = URL.createObjectURL(blob);
  const image = new Image();
  image.src = address;
  try {
    await image.decode();
    return address;
  } catch {
    URL.revokeObjectURL(address);
    return null;
  }
}

function actionsFor(item) {
  let explained = null; // asked once for all faces of a photograph
  const why = async () => {
    explained ??= classify(item, true);
    try {
      return (await explained).faces;
    } catch (error) {
      explained = null;
      throw error;
    }
  };
  return {
    why: offers.explain ? why : null,
    wrong: offers.feedback && item.blob ? (face) => openWrong(item, face) : null,
  };
}

let wrongOne = null;
function openWrong(item, face) {
  wrongOne = { item, face };
  $("wrong-said").textContent = `The model said ${face.known === false ? "that it does not know this person" : face.name}.`;
  $("wrong-name").value = "";
  $("wrong-consent").checked = false;
  $("wrong-problem").hidden = true;
  $("wrong").showModal();
}

$("wrong-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const { item, face } = wrongOne;
    await sendCorrection(item, face.known === false ? "unknown" : face.name, $("wrong-name").value.trim());
    $("wrong").close();
    say("Thank you, the correction was sent.");
  } catch (error) {
    $("wrong-problem").textContent = `${error.message} ${error.hint || ""}`;
    $("wrong-problem").hidden = false;
  }
});
$("wrong-close").addEventListener("click", () => $("wrong").close());
$("about-close").addEventListener("click", () => $("about").close());
$("about-open").addEventListener("click", async () => {
  $("about").showModal();
  try {
    const model = await getJSON("/api/v1/model");
    $("about-facts").textContent = `Recipe ${model.recipe} · ${model.people} people · bundle ${model.bundle} · celebml ${model.celebml}`;
    $("card").replaceChildren(...cardElements(model.card || "This bundle brings no model card."));
  } catch (error) {
    $("card").replaceChildren(make("p", { className: "problem", textContent: `${error.message} ${error.hint || ""}` }));
  }
});

function showPeople({ people, examples }) {
  $("people-title").textContent = people.length > 1 ? `The ${people.length} people it knows` : "People it knows";
  $("people").replaceChildren(...people.map(({ name, portrait }) => {
    const initials = name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2);
    const picture = portrait
      ? make("img", { className: "portrait", src: portrait, alt: "", loading: "lazy" })
      : make("span", { className: "portrait", textContent: initials, "aria-hidden": "true" });
    return make("li", {}, picture, name);
  }));
  $("wrong-names").replaceChildren(...people.map(({ name }) => make("option", { value: name })));
  $("examples-part").hidden = !examples.length;
  $("examples").replaceChildren(...examples.slice(0, 8).map((address, index) => {
    const name = `Example ${index + 1}`;
    const button = make("button", { type: "button" }, make("img", { src: address, alt: name, loading: "lazy" }));
    button.addEventListener("click", () => take([{ name, load: async () => (await ask(address)).blob() }]));
    return make("li", {}, button);
  }));
}

async function start() {
  listen(take);
  try {
    const [model, people] = await Promise.all([getJSON("/api/v1/model"), getJSON("/api/v1/people")]);
    offers = model.offers;
    $("url-form").hidden = !offers.fetch;
    $("limits").textContent = `JPEG, PNG, WebP and others, up to ${Math.floor(offers.max_bytes / 1e6)} MB. They are looked at and not kept.`;
    showPeople(people);
  } catch (error) {
    $("people").replaceChildren(make("li", { className: "problem", textContent: `${error.message} ${error.hint || ""}` }));
  }
}

start();
