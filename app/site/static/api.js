// Talks to the server. Every failure becomes a Failure with a sentence that says what happened, and what to try.

export class Failure extends Error {
  constructor(title, hint, { again = true } = {}) {
    super(title);
    this.hint = hint;
    this.again = again;
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// Ask once; a busy server is asked again after the time it names, three times at most.
export async function ask(path, options = {}, tries = 3) {
  let response;
  try {
    response = await fetch(path, { ...options, signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Failure("The server took longer than a minute.", "Try again later.");
    throw navigator.onLine
      ? new Failure("The server cannot be reached.", "Check your connection and try again.")
      : new Failure("You are offline.", "Connect to the network and try again.");
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

export async function getJSON(path) {
  return (await ask(path)).json();
}

export async function classify(item, explain = false) {
  const query = explain ? "?explain=true" : "";
  if (item.url) {
    const body = JSON.stringify({ url: item.url });
    return (await ask(`/api/v1/classify${query}`, { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
  }
  const form = new FormData();
  form.append("photo", item.blob, item.name);
  return (await ask(`/api/v1/classify${query}`, { method: "POST", body: form })).json();
}

export async function sendCorrection(item, said, name) {
  const form = new FormData();
  form.append("photo", item.blob, item.name);
  form.append("said", said);
  form.append("name", name);
  form.append("consent", "true");
  return (await ask("/api/v1/feedback", { method: "POST", body: form })).json();
}
