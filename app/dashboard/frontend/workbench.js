// The one screen: people on the left, learning in the middle, the answer on the right.
import { button, dialog, make, plural, questions, tell } from "./dom.js";
import { intake } from "./intake.js";
import { camera } from "./camera.js";
import { peopleCards } from "./people.js";
import { trainingPanel } from "./training.js";
import { answerPanel } from "./answer.js";

function render({ model, el }) {
  const ask = questions(model), cam = camera();
  const root = make("div", { className: "cm-workbench" });
  el.append(root);

  const strip = make("div", { className: "cm-arrivals", hidden: true },
    make("div", { className: "cm-progress" }, make("i")), make("p", { aria: { role: "status" } }), make("ul"));
  const undo = make("div", { className: "cm-undo", hidden: true }, make("span", { aria: { role: "status" } }), button("Undo", () => act("undo")));
  const welcome = make("div", { className: "cm-welcome", hidden: true },
    make("h2", { textContent: "Teach it who is who" }),
    make("p", { textContent: "Give two people a few photographs each. It learns at once, and tells you how often it is right on photographs that it has not seen. Nothing leaves this computer." }),
    make("div", { className: "cm-row" },
      button("Try with a sample of eight people", () => sample("att"), { className: "cm-button cm-main cm-sample" }),
      button("Five celebrities (fetched, 47 MB)", () => sample("johns"))),
    make("p", { className: "cm-problem", aria: { role: "status" } }));

  async function act(kind, values = {}) {
    const answer = await ask("act", { act: kind, ...values });
    if (answer.notice || answer.problem) notice(answer.notice ?? answer.problem);
    return answer;
  }

  async function sample(which) {
    tell(welcome.querySelector(".cm-problem"), "One moment: the photographs come in…");
    const answer = await act("sample", { which });
    tell(welcome.querySelector(".cm-problem"), answer.problem ?? "");
  }

  const note = make("p", { className: "cm-notice", hidden: true, aria: { role: "alert" } });
  function notice(text) { note.hidden = !text; tell(note, text, true); }

  function arrivals({ text, share, problems, over }) {
    strip.hidden = false;
    strip.firstChild.hidden = Boolean(over);
    strip.firstChild.firstChild.style.width = `${100 * share}%`;
    tell(strip.children[1], text, over);
    const more = problems.length > 5 ? [`… and ${problems.length - 5} more were refused.`] : [];
    strip.children[2].replaceChildren(...[...problems.slice(0, 5), ...more].map((said) => make("li", { textContent: said })));
  }
  const inbox = intake({ served: model.get("served"), ask, said: arrivals });
  const send = (found, people) => inbox.add(found, people);

  const people = peopleCards({ model, act, send, cam, root, said: notice });
  const training = trainingPanel({ model, act });
  const answer = answerPanel({ model, ask, act, cam, send });
  const forget = button("Forget everything…", () => {
    const bin = model.get("bin");
    const box = dialog("Forget everything?", root,
      make("p", { textContent: "All photographs go into the bin and the model is forgotten. Undo brings the photographs back." }),
      make("div", { className: "cm-row" },
        button("Put everything into the bin", async () => { await act("forget"); box.close(); }, { className: "cm-button cm-main" }),
        bin ? button(`Empty the bin for good (${plural(bin, "photograph")})`, async () => { await act("empty_bin"); box.close(); }) : null));
  }, { className: "cm-button cm-quiet" });
  const everybody = make("section", { className: "cm-people", aria: { label: "People" } }, make("h2", { textContent: "People" }), people.root, forget);
  // On a phone the three parts are below one another, and a row at the bottom leads to each.
  const jump = make("nav", { className: "cm-jump", aria: { label: "parts of this page" } },
    ...[["People", everybody], ["Learn", training.root], ["Answer", answer.root]].map(([name, part]) => button(name, () => part.scrollIntoView())));
  // What comes and goes stands at the bottom edge, so that nothing moves away under a hand.
  const toasts = make("div", { className: "cm-toasts" }, strip, undo, jump);
  root.append(note, welcome, make("div", { className: "cm-columns3" }, everybody, training.root, answer.root), toasts);

  let held = false; // a button is being pressed: the page may not jump now
  const press = () => { held = true; };
  const release = () => { held = false; setTimeout(draw, 50); };
  document.addEventListener("pointerdown", press);
  document.addEventListener("pointerup", release);

  function draw() {
    const last = model.get("undo");
    undo.hidden = !last;
    tell(undo.firstChild, last ? `${last}.` : "");
    if (!held) welcome.hidden = model.get("people").length > 0;
    forget.hidden = !model.get("people").length && !model.get("bin");
    forget.textContent = model.get("people").length ? "Forget everything…" : "Empty the bin…";
  }
  for (const name of ["undo", "people", "bin"]) model.on(`change:${name}`, draw);
  const keys = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "z" || /^(INPUT|TEXTAREA)$/.test(event.target.tagName) || !root.offsetParent) return;
    event.preventDefault();
    act("undo");
  };
  document.addEventListener("keydown", keys);
  draw();
  notice(inbox.interrupted());
  model.send({ kind: "seen" }); // first: a kernel that waited for this page knows what was so when it began to wait
  answer.again();
  return () => { answer.stop(); document.removeEventListener("keydown", keys); document.removeEventListener("pointerdown", press); document.removeEventListener("pointerup", release); };
}

export default { render };
