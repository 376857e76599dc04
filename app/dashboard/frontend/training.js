// The middle: learning as a story, and how good it is.
import { button, make, percent, plural, tell } from "./dom.js";

export function trainingPanel({ model, act }) {
  const bar = make("div", { className: "cm-progress", hidden: true, aria: { role: "progressbar", valuemin: "0", valuemax: "100", label: "learning" } }, make("i"));
  const now = make("p", { className: "cm-now", aria: { role: "status" } });
  const figure = make("p", { className: "cm-figure" });
  const sentence = make("p", { className: "cm-sentence" });
  const changed = make("p", { className: "cm-changed" });
  const notes = make("ul", { className: "cm-advice" });
  const more = make("summary");
  const hints = make("details", { className: "cm-hints" }, more, notes);
  const faces = make("div", { className: "cm-arriving", aria: { hidden: "true" } });
  const go = button("Learn", () => act(model.get("work").running ? "stop" : "learn"), { className: "cm-button cm-main cm-train" });
  const itself = make("input", { type: "checkbox", on: { change: () => act("by_itself", { on: itself.checked }) } });
  const root = make("section", { className: "cm-panel cm-training", aria: { label: "Learn" } },
    make("h2", { textContent: "Learn" }), figure, sentence, changed, bar, faces, now, go,
    make("label", { className: "cm-check" }, itself, "learns by itself while you teach"), hints);

  function draw() {
    const work = model.get("work"), score = model.get("score"), people = model.get("people");
    itself.checked = model.get("by_itself");
    const enough = people.filter((person) => person.count).length >= 2;
    go.textContent = work.running ? "Stop" : score.learnt ? "Learn again" : "Learn";
    go.disabled = !work.running && !enough;
    bar.hidden = !work.running;
    bar.setAttribute("aria-valuenow", Math.round(100 * work.share));
    bar.firstChild.style.width = `${100 * work.share}%`;
    const said = work.running ? [work.text, work.left].filter(Boolean).join(" · ") : work.said;
    tell(now, said || (enough ? "" : "Teach two people at least. Ten photographs of each are a good start."));
    now.className = `cm-now ${work.mark ? `cm-note cm-${work.mark}` : ""}`;
    figure.hidden = score.share === undefined;
    if (!figure.hidden) {
      figure.replaceChildren(make("b", { textContent: percent(score.share) }), make("span", { textContent: "right on photographs it had not seen" }));
      figure.classList.toggle("stale", score.stale);
    }
    tell(sentence, score.sentence ?? "");
    tell(changed, score.changed ?? "");
    const advice = score.advice ?? [];
    hints.hidden = !advice.length;
    tell(more, `${plural(advice.length, "thing")} to know`);
    notes.replaceChildren(...advice.map((text) => make("li", { textContent: text })));
    const arriving = work.running ? people.flatMap((person) => person.newest ?? []).slice(0, 24) : [];
    const sources = arriving.join("\n");
    if (faces.dataset.sources !== sources) {
      faces.dataset.sources = sources;
      faces.replaceChildren(...arriving.map((src) => make("img", { src, alt: "", width: 32, height: 32 })));
    }
    [...faces.children].forEach((face, number) => face.classList.toggle("lit", number / Math.max(arriving.length, 1) < work.share));
  }
  for (const name of ["work", "score", "people", "by_itself"]) model.on(`change:${name}`, draw);
  draw();
  return { root };
}
