// Shows answers: the photograph with a box on each face, and a panel a face. Built from elements, never from HTML text.
import { drawWhy } from "./why.js";

const TOP = 6; // bars shown at once; the others are one click away

export function make(tag, properties = {}, ...children) {
  const { className, dataset, ...rest } = properties;
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(rest)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const percent = (share) => (share > 0.995 && share < 1 ? "> 99 %" : share < 0.005 && share > 0 ? "< 1 %" : `${Math.round(100 * share)} %`);

export function newResult(name) {
  const title = make("h3", { textContent: name });
  const facts = make("span", { className: "small" });
  const body = make("div", {}, make("p", { className: "waiting", textContent: "Looking…" }));
  const article = make("article", { className: "result", "aria-label": name }, make("div", { className: "result-top" }, title, facts), body);
  return { article, body, facts };
}

export function showFailure({ body }, error, again) {
  const text = make("p", { className: "problem" }, make("strong", { textContent: error.message }), ` ${error.hint || ""}`);
  body.replaceChildren(text);
  if (error.again && again) {
    const button = make("button", { type: "button", textContent: "Try again" });
    button.addEventListener("click", again);
    body.append(make("div", { className: "buttons" }, button));
  }
}

export function showAnswer({ body, facts }, answer, address, actions) {
  const count = answer.faces.length;
  facts.textContent = `${count} ${count === 1 ? "face" : "faces"} · ${Math.round(answer.milliseconds)} ms`;
  const parts = [];
  if (address) parts.push(photo(answer, address));
  if (!count) {
    parts.push(make("p", { className: "unsure" }, make("strong", { textContent: "No face was found." }), " Try a photograph with a larger, upright face that looks towards the camera."));
  }
  parts.push(make("div", { className: "faces" }, ...answer.faces.map((face, index) => facePanel(face, index, actions))));
  body.replaceChildren(...parts);
}

function photo(answer, address) {
  const image = make("img", { src: address, alt: `The photograph, with ${answer.faces.length} marked` });
  const frame = make("div", { className: "photo" }, image);
  answer.faces.forEach((face, index) => {
    const box = make("div", { className: "box" }, make("span", { textContent: String(index + 1) }));
    box.setAttribute("aria-hidden", "true"); // the panels say the same in words
    box.classList.toggle("unknown", face.known === false);
    box.classList.toggle("low", face.box.y < answer.height * 0.08);
    box.style.left = `${(100 * face.box.x) / answer.width}%`;
    box.style.top = `${(100 * face.box.y) / answer.height}%`;
    box.style.width = `${(100 * face.box.width) / answer.width}%`;
    box.style.height = `${(100 * face.box.height) / answer.height}%`;
    frame.append(box);
  });
  return frame;
}

export function sentence(face) {
  return face.known === false ? `I don’t know this person; ${face.name} comes nearest` : `${face.name}, ${percent(face.probability)}`;
}

function facePanel(face, index, actions) {
  const panel = make("section", { className: "face", "aria-label": `Face ${index + 1}: ${sentence(face)}` });
  const number = make("span", { className: "number", textContent: String(index + 1) });
  const stranger = face.known === false;
  panel.append(make("p", { className: "face-name" }, number, stranger ? "I don’t know this person" : face.name));
  if (stranger) panel.append(make("p", { className: "unsure", textContent: `${face.name} comes nearest, but the face does not look enough like anyone here. If it had to be one of them:` }));
  const sorted = Object.entries(face.probabilities).sort((a, b) => b[1] - a[1]);
  panel.append(bars(sorted.slice(0, TOP)));
  if (sorted.length > TOP) {
    panel.append(make("details", {}, make("summary", { textContent: `All ${sorted.length} people` }), bars(sorted.slice(TOP))));
  }
  const buttons = make("div", { className: "buttons" });
  if (actions.why) buttons.append(whyButton(panel, index, actions.why));
  if (actions.wrong) {
    const wrong = make("button", { type: "button", textContent: "That’s wrong" });
    wrong.addEventListener("click", () => actions.wrong(face));
    buttons.append(wrong);
  }
  if (buttons.children.length) panel.append(buttons);
  return panel;
}

function bars(entries) {
  return make("ul", { className: "bars" }, ...entries.map(([name, share]) => {
    const bar = make("span", { className: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(100 * share, 0.5)}%`;
    return make("li", {}, bar, make("span", { className: "who", textContent: name }), make("span", { textContent: percent(share) }));
  }));
}

function whyButton(panel, index, why) {
  const button = make("button", { type: "button", textContent: "Why?" });
  button.setAttribute("aria-expanded", "false");
  let shown = null;
  button.addEventListener("click", async () => {
    if (shown) {
      shown.hidden = !shown.hidden;
    } else {
      button.disabled = true;
      try {
        shown = drawWhy((await why())[index]);
      } catch (error) {
        shown = make("p", { className: "problem", textContent: `${error.message} ${error.hint || ""}` });
      }
      button.disabled = false;
      panel.append(shown);
    }
    button.setAttribute("aria-expanded", String(!shown.hidden));
  });
  return button;
}
