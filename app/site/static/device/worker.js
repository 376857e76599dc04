// All the work, away from the page. A message is { id, ask, ... }; the answer { id, answer } or { id, failure }.
import { asFailure } from "../failure.js";
import { decoded } from "./decode.js";
import { detected } from "./detector.js";
import { load } from "./runtime.js";

const QUICK = { looks: [[320, 0]], worth: Infinity }; // one small look, and no second one: for a picture of which the next is coming already

let ready = null;
let settings = null;
let last = Promise.resolve();

function start({ model, parts, cacheName }) {
  settings = model;
  ready = load(parts, cacheName, (share) => self.postMessage({ progress: share })).then(async (networks) => {
    await networks.network(new Float32Array(3 * 64 * 64), 64, 64); // what is left to set up is set up before somebody waits
    await networks.judge({ data: new Uint8ClampedArray(4 * settings.crop_size ** 2).fill(127), width: settings.crop_size, height: settings.crop_size });
    return networks;
  });
  return ready.then(() => true);
}

async function classify({ source, quick }) {
  const { network, judge } = await ready;
  const begun = performance.now();
  const photo = await decoded(source, settings);
  const faces = await detected(network, photo, quick ? { ...settings, ...QUICK } : settings);
  const answers = [];
  for (const { box, score, crop } of faces) answers.push({ box, score, crop, ...(await judge(crop)) });
  return { width: photo.width, height: photo.height, milliseconds: performance.now() - begun, faces: answers };
}

const asks = { start, classify };

self.addEventListener("message", ({ data }) => {
  const work = data.ask === "start" ? start(data) : (last = last.catch(() => undefined).then(() => asks[data.ask](data)));
  work.then(
    (answer) => self.postMessage({ id: data.id, answer }),
    (error) => {
      const { message, hint, again } = asFailure(error);
      self.postMessage({ id: data.id, failure: { message, hint, again } });
    },
  );
});
