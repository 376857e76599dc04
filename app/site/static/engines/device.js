// The engine that computes on the visitor's own device; nothing is sent anywhere. What an engine is, is written down in page.js.
import { Failure } from "../failure.js";

const SIDE = 16; // regions a side of the face, as celebml.explain has them

/** @param {string} address of the published model (JSON) */
export function device(address) {
  const seen = new WeakMap(); // item → what was found in it, with the reasons
  const asked = new Map();
  let worker = null;
  let model = null;
  let count = 0;
  let ready = null;

  function ask(message, transfer = []) {
    const id = (count += 1);
    return new Promise((resolve, reject) => {
      asked.set(id, { resolve, reject });
      worker.postMessage({ id, ...message }, transfer);
    });
  }

  function hear({ data }) {
    if (data.progress !== undefined) return engine.onprogress?.(data.progress);
    const { resolve, reject } = asked.get(data.id);
    asked.delete(data.id);
    if (data.failure) reject(new Failure(data.failure.message, data.failure.hint, data.failure));
    else resolve(data.answer);
  }

  function broke() {
    const failure = new Failure("The part of this page that looks for faces stopped.", "Reload the page; close other pages if it needs more memory.");
    for (const { reject } of asked.values()) reject(failure);
    asked.clear();
    [worker, ready] = [null, null];
  }

  // The worker and its files; asked for again after a failure.
  function started() {
    ready ??= begin().catch((error) => {
      worker?.terminate();
      [worker, ready] = [null, null];
      throw error;
    });
    return ready;
  }

  async function begin() {
    await about();
    if (typeof Worker !== "function") throw new Failure("This browser has no workers.", "Use a current Chrome, Edge, Firefox or Safari.", { again: false });
    worker = new Worker(new URL("../device/worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", hear);
    worker.addEventListener("error", broke);
    const parts = Object.fromEntries(Object.entries(model.parts).map(([name, part]) => [name, { ...part, address: new URL(part.address, address).href }]));
    await ask({ ask: "start", model: model.settings, parts, cacheName: `celebml:${new URL("./", document.baseURI).href}` });
  }

  async function about() {
    if (model) return model;
    let response;
    try {
      response = await fetch(address);
      if (!response.ok) throw new TypeError(`status ${response.status}`);
      model = await response.json();
    } catch (error) {
      throw new Failure("The model could not be loaded.", `Check your connection and reload the page (${error.message}).`);
    }
    const resolved = (some) => some && new URL(some, address).href;
    model.people = model.people.map((person) => ({ ...person, portrait: resolved(person.portrait) }));
    model.examples = model.examples.map(resolved);
    return model;
  }

  async function look(source, quick = false) {
    await started();
    const found = await ask({ ask: "classify", source, quick }, source instanceof ImageBitmap ? [source] : []);
    const faces = found.faces.map((face) => ({ ...face, ...named(face) }));
    return { ...found, faces };
  }

  // Names instead of numbers.
  function named({ probabilities }) {
    const names = model.people.map((person) => person.name);
    const best = probabilities.indexOf(Math.max(...probabilities));
    return { best, name: names[best], probability: probabilities[best], probabilities: Object.fromEntries(names.map((name, i) => [name, probabilities[i]])) };
  }

  function reasons({ best, regions, intercept, scores, crop }) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [crop.width, crop.height];
    canvas.getContext("2d").putImageData(new ImageData(crop.data, crop.width), 0, 0);
    const one = (person) => ({
      values: Array.from(regions.subarray(person * SIDE * SIDE, (person + 1) * SIDE * SIDE)),
      baseline: intercept[person],
      score: scores[person],
    });
    const others = [...scores.keys()].filter((person) => person !== best).sort((a, b) => scores[b] - scores[a]);
    const against = others.length ? { name: model.people[others[0]].name, ...one(others[0]) } : null;
    return { rows: SIDE, columns: SIDE, ...one(best), crop: canvas.toDataURL("image/png"), against };
  }

  const engine = {
    local: true, // photographs need not be made smaller to travel
    onprogress: null, // called with the share of the files that has arrived, 0 to 1
    async about() {
      const found = await about();
      started().catch(() => undefined); // a photograph that comes will ask again, and tell
      return found;
    },
    async classify(item) {
      const found = await look(item.blob);
      seen.set(item, found);
      const faces = found.faces.map(({ box, name, known, probability, probabilities, score }) => ({ box, name, known, probability, probabilities, detector_score: score }));
      return { width: found.width, height: found.height, milliseconds: found.milliseconds, faces };
    },
    async explain(item) {
      if (!seen.has(item)) seen.set(item, await look(item.blob));
      return seen.get(item).faces.map(reasons);
    },
    /** Faces in a picture of the camera, looked for once and not too closely. */
    live: (bitmap) => look(bitmap, true),
    async picture(example) {
      try {
        const response = await fetch(example);
        if (!response.ok) throw new TypeError(`status ${response.status}`);
        return await response.blob();
      } catch (error) {
        throw new Failure("The example could not be loaded.", `Check your connection and try again (${error.message}).`);
      }
    },
    ready: started,
  };
  return engine;
}
