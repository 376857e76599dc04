// The list of answers, newest first. With more than a few, one is shown at a time and a strip of portraits gives the overview.
import { $, make } from "./dom.js";
import { facesOf } from "./answer.js";
import { strip } from "./strip.js";
import { sentence } from "./words.js";

const FEW = 3; // answers that are all shown in full

// `known` is what is known of people; see answer.js.
export function resultList(known) {
  const results = []; // { item, article, body, facts, answer, failed }
  let chosen = null;
  const overview = strip({ choose, clear, results, known });

  function arrange() {
    const many = results.length > FEW;
    if (!results.includes(chosen)) chosen = results[0] ?? null;
    for (const one of results) one.article.hidden = many && one !== chosen;
    overview.show(results.length > 1, chosen);
    $("empty").hidden = results.length > 0;
  }

  function choose(result) {
    chosen = result;
    arrange();
    reveal(result);
  }

  function clear() {
    for (const { article, address } of results.splice(0)) {
      article.remove();
      if (address) URL.revokeObjectURL(address);
    }
    arrange();
  }

  // Puts a batch on top, in its own order.
  function add(items) {
    const batch = items.map((item) => ({ item, ...frame(item.name) }));
    results.unshift(...batch);
    $("results").prepend(...batch.map(({ article }) => article));
    for (const one of batch) overview.add(one);
    chosen = batch[0];
    arrange();
    return batch;
  }

  function showAnswer(result, answer, address, actions) {
    Object.assign(result, { answer, address, failed: null });
    const count = answer.faces.length;
    result.facts.textContent = `${count} ${count === 1 ? "face" : "faces"} · ${Math.round(answer.milliseconds)} ms`;
    result.body.replaceChildren(...facesOf(answer, address, known, actions));
    overview.update(result);
  }

  function showFailure(result, failure, again) {
    Object.assign(result, { answer: null, failed: failure });
    const text = make("p", { className: "problem" }, make("strong", { textContent: failure.message }), ` ${failure.hint}`);
    result.body.replaceChildren(text);
    if (failure.again) {
      const button = make("button", { type: "button", textContent: "Try again" });
      button.addEventListener("click", again);
      result.body.append(make("div", { className: "buttons" }, button));
    }
    overview.update(result);
  }

  function showWaiting(result) {
    result.failed = null;
    result.body.replaceChildren(waiting());
    overview.update(result);
  }

  // Brings an answer into view; the page has its height by now.
  function reveal(result) {
    if (!result.article.hidden) bring(result.article, result.article.querySelector(".face-name") ?? result.body);
  }

  // The same for one that nobody chose: of many it is the overview that is wanted first.
  function arrived(result) {
    if (results.length > FEW) bring($("strip"), result.tile);
    else reveal(result);
  }

  function bring(whole, part) {
    const { top } = whole.getBoundingClientRect();
    if (top < 0 || part.getBoundingClientRect().bottom > window.innerHeight) whole.scrollIntoView({ block: "start" });
  }

  const inWords = ({ faces }) => (faces.length ? faces.map((face) => sentence(face, known.call)).join("; ") : "no face was found");
  return { add, showAnswer, showFailure, showWaiting, arrived, inWords, results, isChosen: (result) => result === chosen };
}

const waiting = () => make("p", { className: "waiting", textContent: "Looking…" });

function frame(name) {
  const title = make("h3", { textContent: name });
  const facts = make("span", { className: "small" });
  const body = make("div", {}, waiting());
  const article = make("article", { className: "result", "aria-label": name }, make("div", { className: "result-top" }, title, facts), body);
  return { article, body, facts };
}
