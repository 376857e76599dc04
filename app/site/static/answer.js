// One answer: the photograph with a box on each face, and a panel a face; box and panel light up together.
import { make, percent } from "./dom.js";
import { asFailure } from "./failure.js";
import { drawWhy } from "./why.js";
import { ordered, sentence, verdict } from "./words.js";

const FOLDED = 0.01; // rows under a per cent say nothing
const TOP = 6; // bars shown at once; the others are one click away
const CROWD = 6; // with more faces, a box carries its number alone

// `known` is what is known of people: { call(name), portrait(name), count }.
export function facesOf(answer, address, known, actions) {
  const panels = answer.faces.map((face, index) => facePanel(face, index, known, actions));
  const parts = [];
  if (address) parts.push(photo(answer, address, panels, known));
  else if (answer.faces.length) parts.push(make("p", { className: "small", textContent: "This browser cannot show such a photograph; the server could read it." }));
  if (!panels.length) {
    parts.push(make("p", { className: "unsure" }, make("strong", { textContent: "No face was found." }), " Try a photograph with a larger, upright face that looks towards the camera."));
  }
  parts.push(make("div", { className: "faces" }, ...panels));
  return parts;
}

function photo(answer, address, panels, known) {
  const image = make("img", { src: address, alt: `The photograph, with ${answer.faces.length} marked` });
  const frame = make("div", { className: "photo" }, image);
  answer.faces.forEach((face, index) => {
    const label = make("span", { className: "label" }, make("span", { textContent: String(index + 1) }));
    if (answer.faces.length <= CROWD && face.known === false) label.append(" ", make("span", { textContent: "unknown" }));
    else if (answer.faces.length <= CROWD) {
      // Where room is short, the end of the name is left out and the share stays.
      label.append(" ", make("span", { className: "who", textContent: known.call(face.name) }), " ", make("span", { textContent: percent(face.probability) }));
    }
    const box = make("div", { className: "box" }, label);
    box.setAttribute("aria-hidden", "true"); // the panels say the same in words
    box.classList.toggle("unknown", face.known === false);
    box.classList.toggle("low", face.box.y < answer.height * 0.1);
    box.classList.toggle("right", face.box.x > answer.width * 0.55);
    box.style.left = `${(100 * face.box.x) / answer.width}%`;
    box.style.top = `${(100 * face.box.y) / answer.height}%`;
    box.style.width = `${(100 * face.box.width) / answer.width}%`;
    box.style.height = `${(100 * face.box.height) / answer.height}%`;
    frame.append(box);
    link(box, panels[index]);
  });
  return frame;
}

function link(box, panel) {
  const light = (on) => [box, panel].forEach((one) => one.classList.toggle("lit", on));
  for (const one of [box, panel]) {
    one.addEventListener("pointerenter", () => light(true));
    one.addEventListener("pointerleave", () => light(false));
  }
  panel.addEventListener("focusin", () => light(true));
  panel.addEventListener("focusout", () => light(false));
  box.addEventListener("click", () => {
    panel.scrollIntoView({ block: "nearest" });
    light(true);
  });
}

function facePanel(face, index, known, actions) {
  const { call } = known;
  const panel = make("section", { className: "face", "aria-label": `Face ${index + 1}: ${sentence(face, call)}` });
  const stranger = face.known === false;
  const name = make("p", { className: "face-name" }, make("span", { className: "number", textContent: String(index + 1) }), verdict(face, call));
  const top = make("div", { className: "face-top" }, name);
  const portrait = stranger ? null : known.portrait(face.name);
  if (portrait) top.prepend(make("img", { className: "portrait", src: portrait, alt: "" }));
  if (!stranger) top.append(make("p", { className: "share", textContent: percent(face.probability) }));
  panel.append(top);
  if (stranger) {
    const others = known.count > 1 ? `none of the ${known.count} people I have learnt` : "nobody I have learnt";
    panel.append(make("p", { className: "stranger", textContent: `This face is like ${others}, so I give it no name. ${call(face.name)} comes nearest; if it had to be one of them:` }));
  }
  if (face.quality) panel.append(make("p", { className: "unsure", textContent: `This face is ${face.quality}: do not rely on the name.` }));
  const rows = ordered(face);
  const shown = rows.filter(([, share], i) => i < TOP && (share >= FOLDED || i === 0));
  panel.append(bars(shown, call));
  if (rows.length > shown.length) {
    const rest = rows.slice(shown.length);
    const all = rest[0][1] < FOLDED ? ", under 1 % each" : "";
    panel.append(make("details", {}, make("summary", { textContent: `${rest.length} ${rest.length === 1 ? "other" : "others"}${all}` }), bars(rest, call)));
  }
  const buttons = make("div", { className: "buttons" });
  if (actions.why) buttons.append(whyButton(panel, face, index, actions.why, call));
  if (actions.wrong) {
    const wrong = make("button", { type: "button", textContent: "That’s wrong" });
    wrong.addEventListener("click", () => actions.wrong(face, (receipt) => wrong.replaceWith(receipt)));
    buttons.append(wrong);
  }
  if (buttons.children.length) panel.append(buttons);
  return panel;
}

function bars(entries, call) {
  return make("ul", { className: "bars" }, ...entries.map(([name, share]) => {
    const bar = make("span", { className: "bar", "aria-hidden": "true" });
    bar.style.width = `${100 * share}%`;
    return make("li", {}, make("span", { className: "who", textContent: call(name) }), make("span", { className: "track" }, bar), make("span", { className: "much", textContent: percent(share) }));
  }));
}

function whyButton(panel, face, index, why, call) {
  const button = make("button", { type: "button", textContent: "Why?" });
  button.setAttribute("aria-expanded", "false");
  let shown = null;
  button.addEventListener("click", async () => {
    if (shown) {
      shown.hidden = !shown.hidden;
    } else {
      button.disabled = true;
      try {
        shown = drawWhy(face, (await why())[index], call);
      } catch (error) {
        shown = make("p", { className: "problem", textContent: asFailure(error).words });
      }
      button.disabled = false;
      panel.append(shown);
    }
    button.setAttribute("aria-expanded", String(!shown.hidden));
  });
  return button;
}
