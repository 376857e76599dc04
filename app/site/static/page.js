// The page: takes photographs in, asks an engine, and shows the answers, newest first.
//
// An engine is an object with these; each may throw a Failure, and nothing else on purpose:
//   about()             → { people: [{ name, display_name, portrait }], examples: [address or { address, thumbnail }], card (Markdown), recipe, bundle, celebml,
//                           offers: { explain, fetch, feedback, device, max_bytes, max_files, max_megapixels } }
//   classify(item)      → { width, height, milliseconds, faces: [{ box: { x, y, width, height }, name, known, probability,
//                           probabilities: { name: share } }] }, the biggest face first
//   explain(item)       → for each face, in the same order, { rows, columns, values, baseline, score, crop,
//                           against: { name, values, baseline, score } for the name that came second } or null
//   picture(address)    → the Blob of an example
//   live(bitmap)        → as classify, for a picture of the camera; an engine may have none
//   correct(item, face, said, right) → only where offers.feedback: { kept, page, until }
//   local               whether it computes on this device, where a photograph need not be made smaller to travel
// An item is { name, blob } or, only where offers.fetch, { name, url }.
import { listenToAbout } from "./about.js";
import { listenToCamera } from "./camera.js";
import { correction } from "./correction.js";
import { $, make } from "./dom.js";
import { asFailure, Failure } from "./failure.js";
import { listenToIntake } from "./intake.js";
import { showExamples, showPeople } from "./people.js";
import { resultList } from "./results.js";
import { shrink } from "./shrink.js";

const AT_ONCE = 2;

export async function start(engine) {
  const waiting = [];
  let running = 0;
  let offers = { explain: false, fetch: false, feedback: false, max_bytes: 20e6, max_files: 16 };
  const people = new Map();
  const known = {
    call: (name) => people.get(name)?.display_name ?? name,
    portrait: (name) => people.get(name)?.portrait,
    get count() {
      return people.size;
    },
  };
  const say = (text) => ($("status").textContent = text);
  const list = resultList(known);
  const openWrong = correction(engine, known, say);
  let moved = 0; // when the visitor last moved the page; what they look at is not taken away
  for (const kind of ["wheel", "touchmove", "keydown"]) window.addEventListener(kind, () => (moved = performance.now()), { passive: true });

  function take(items) {
    if (!items.length) return;
    const given = performance.now();
    for (const result of list.add(items)) waiting.push({ result, given });
    say(items.length === 1 ? `Looking at ${items[0].name}` : `Looking at ${items.length} photographs`);
    next();
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      const one = waiting.shift();
      running += 1;
      answer(one).finally(() => {
        running -= 1;
        next();
      });
    }
  }

  async function answer({ result, given }) {
    const { item } = result;
    try {
      if (item.url && !offers.fetch) throw new Failure("This page fetches no addresses.", "Save the picture, then drop the file here.", { again: false });
      if (item.load) item.blob ??= await item.load();
      if (item.blob && !engine.local) item.blob = await shrink(item.blob, offers.max_bytes);
      const found = await engine.classify(item);
      const address = item.blob ? await displayable(item.blob) : null;
      list.showAnswer(result, found, address, actionsFor(item));
      say(`${item.name}: ${list.inWords(found)}`);
    } catch (error) {
      const failure = asFailure(error);
      list.showFailure(result, failure, () => again(result));
      say(`${item.name}: ${failure.words}`);
    }
    if (list.isChosen(result) && moved < given) list.arrived(result);
  }

  function again(result) {
    list.showWaiting(result);
    waiting.push({ result, given: performance.now() });
    next();
  }

  function actionsFor(item) {
    let explained = null; // asked once for all faces of a photograph
    const why = async () => {
      explained ??= engine.explain(item);
      try {
        return await explained;
      } catch (error) {
        explained = null;
        throw error;
      }
    };
    return {
      why: offers.explain ? why : null,
      wrong: offers.feedback && item.blob ? (face, done) => openWrong(item, face, done) : null,
    };
  }

  async function introduce() {
    try {
      const about = await engine.about();
      offers = about.offers;
      for (const person of about.people) people.set(person.name, person);
      $("url-form").hidden = !offers.fetch;
      $("device")?.toggleAttribute("hidden", !offers.device);
      const kept = engine.local ? "They stay on this device." : `Up to ${Math.floor(offers.max_bytes / 1e6)} MB. They are looked at and not kept.`;
      $("limits").textContent = `JPEG, PNG, WebP${engine.local ? "" : ", HEIC"} and others. ${kept}`;
      showPeople(about.people);
      showExamples(about.examples, (name, address) => take([{ name, load: () => engine.picture(address) }]));
    } catch (error) {
      $("people").replaceChildren(make("li", { className: "problem", textContent: asFailure(error).words }));
    }
  }

  // The network is back: what could not be asked is asked now.
  window.addEventListener("online", () => {
    for (const result of list.results) if (result.failed?.offline) again(result);
    if (!people.size) introduce();
  });

  listenToIntake(take);
  listenToCamera(take, engine, known);
  listenToAbout(engine);
  await introduce();
}

// An address that an <img> can show, or null for a format that only the engine knows.
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
