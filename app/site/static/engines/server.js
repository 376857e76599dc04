// The engine that asks the server. What an engine is, is written down in page.js.
import { Failure } from "../failure.js";

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Ask once; a busy server is asked again after the time it names, three times at most.
async function ask(path, options = {}, tries = 3) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Failure("The server took longer than a minute.", "Try again later.");
    throw navigator.onLine
      ? new Failure("The server cannot be reached.", "Check your connection and try again.")
      : new Failure("You are offline.", "It is looked at as soon as the network is back.", { offline: true });
  }
  if (response.ok) return response;
  if ((response.status === 503 || response.status === 429) && tries > 1) {
    await pause(Math.min(Number(response.headers.get("Retry-After")) || 2, 10));
    return ask(path, options, tries - 1);
  }
  throw await failure(response);
}

async function failure(response) {
  const again = response.status >= 500 || response.status === 429;
  try {
    const problem = await response.json();
    return new Failure(problem.detail || problem.title, problem.hint || "", { again });
  } catch {
    return new Failure(`The server answered ${response.status}.`, "Try again in a little while.", { again });
  }
}

const getJSON = async (path) => (await ask(path)).json();

async function post(item, explain) {
  const address = `/api/v1/classify${explain ? "?explain=true" : ""}`;
  if (item.url) {
    const headers = { "Content-Type": "application/json" };
    return (await ask(address, { method: "POST", headers, body: JSON.stringify({ url: item.url }) })).json();
  }
  const form = new FormData();
  form.append("photo", item.blob, item.name);
  return (await ask(address, { method: "POST", body: form })).json();
}

export const server = {
  async about() {
    const [model, { people, examples }] = await Promise.all([getJSON("/api/v1/model"), getJSON("/api/v1/people")]);
    return { ...model, examples, people: people.map((person) => ({ ...person, portrait: person.thumbnail })) };
  },
  classify: (item) => post(item, false),
  explain: async (item) => (await post(item, true)).faces.map((face) => face.explanation ?? null),
  picture: async (address) => (await ask(address)).blob(),
  async live(bitmap) {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    return post({ name: "live.jpg", blob: await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 }) }, false);
  },
  async correct(item, { box }, said, right) {
    const form = new FormData();
    form.append("photo", item.blob, item.name);
    form.append("box", [box.x, box.y, box.width, box.height].join(","));
    form.append("said", said);
    form.append("name", right);
    form.append("consent", "true");
    return (await ask("/api/v1/feedback", { method: "POST", body: form })).json();
  },
};
