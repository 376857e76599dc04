// The right: what it says now, of the camera or of a photograph, and what to do when it is wrong.
import { asFile, button, make, percent, tell } from "./dom.js";
import { KINDS } from "./intake.js";

export function answerPanel({ model, ask, act, cam, send }) {
  const video = make("video", { muted: true, playsInline: true, className: "cm-video", hidden: true, aria: { label: "what the camera sees" } });
  const picture = make("img", { className: "cm-tried", hidden: true, alt: "the photograph that you asked about" });
  const boxes = make("div", { className: "cm-boxes" });
  const stage = make("div", { className: "cm-stage" }, video, picture, boxes);
  const verdict = make("p", { className: "cm-verdict", aria: { role: "status" } });
  const list = make("ul", { className: "cm-bars" });
  const problem = make("p", { className: "cm-problem", aria: { role: "status" } });
  const speed = make("span", { className: "cm-small" });
  const why = make("figure", { className: "cm-why", hidden: true });
  const files = make("input", { type: "file", accept: KINDS, hidden: true, className: "cm-ask-files" });
  const live = button("Camera", () => (running ? stop() : start()), { aria: { pressed: "false" } });
  const whom = make("input", { className: "cm-where", placeholder: "this is…", aria: { label: "who it is" } });
  const known = make("datalist", { id: "cm-known" });
  whom.setAttribute("list", "cm-known");
  const teach = make("div", { className: "cm-row cm-teach", hidden: true }, whom, known, button("Teach it", teachIt));
  const explain = button("Why?", explainIt, { hidden: true });
  const empty = make("p", { className: "cm-small cm-empty", textContent: "Drop or paste a photograph here, or let it look through the camera." });
  const root = make("section", { className: "cm-panel cm-answer", aria: { label: "Answer" } },
    make("h2", { textContent: "Who is it?" }), stage, empty, verdict, list, explain, why, teach, problem,
    make("div", { className: "cm-row" }, live, button("Photograph", () => files.click()), files, speed));
  let running = false, shown = null, asked = 0;

  async function start() {
    try { await cam.open(video); } catch (error) { tell(problem, error.message, true); return; }
    running = true;
    live.setAttribute("aria-pressed", "true");
    tell(problem, "");
    video.hidden = false;
    picture.hidden = true;
    stage.classList.add("live");
    follow();
  }

  function stop() {
    running = false;
    live.setAttribute("aria-pressed", "false");
    cam.close(video);
    video.hidden = true;
    stage.classList.remove("live");
    speed.textContent = "";
    clear();
  }

  function clear() {
    boxes.replaceChildren();
    list.replaceChildren();
    tell(verdict, "");
    why.hidden = explain.hidden = teach.hidden = true;
    picture.hidden = true;
    empty.hidden = false;
    shown = null;
  }

  async function follow() {
    let times = [];
    while (running && root.isConnected) {
      if (document.hidden || !root.offsetParent) { await new Promise((done) => setTimeout(done, 300)); continue; }
      const blob = await cam.shoot(video, 400, 0.85);
      if (!blob) { await new Promise((done) => setTimeout(done, 50)); continue; }
      const answer = await Promise.race([ask("frame", {}, await blob.arrayBuffer()), new Promise((done) => setTimeout(() => done(null), 5000))]);
      if (!running) break;
      if (!answer) { tell(problem, "It does not answer at the moment.", true); continue; }
      show(answer, new File([blob], `camera-${Date.now()}.jpg`, { type: "image/jpeg" }), true);
      times = [...times, performance.now()].slice(-12);
      if (times.length > 2) speed.textContent = `${((times.length - 1) * 1000 / (times.at(-1) - times[0])).toFixed(0)} answers a second`;
      await new Promise((done) => requestAnimationFrame(done));
    }
  }

  async function look(file) {
    if (running) stop();
    clear();
    const turn = asked += 1;
    empty.hidden = true;
    tell(verdict, "looking…");
    const answer = await ask("ask", { path: file.name }, await file.arrayBuffer());
    if (turn !== asked) return;
    if (answer.problem) { clear(); tell(problem, answer.problem, true); return; }
    show(answer, file, false);
  }

  function show(answer, file, isLive) {
    tell(problem, answer.problem ?? "");
    empty.hidden = true;
    shown = { answer, file };
    if (!isLive) {
      picture.src = answer.src;
      picture.hidden = false;
    }
    boxes.replaceChildren(...answer.faces.map((face) => {
      const made = make("div", { className: `cm-box${face.known === false ? " cm-unknown" : ""}` }, make("span", { textContent: face.known === false ? "?" : face.name }));
      const [x, y, w, h] = face.box;
      Object.assign(made.style, { left: `${100 * x}%`, top: `${100 * y}%`, width: `${100 * w}%`, height: `${100 * h}%` });
      return made;
    }));
    const first = answer.faces[0];
    if (!first) {
      tell(verdict, answer.nothing || "No face is seen.");
      list.replaceChildren();
      explain.hidden = teach.hidden = why.hidden = true;
      return;
    }
    verdict.className = `cm-verdict${first.known === false ? " cm-nobody" : ""}`;
    tell(verdict, first.known === false ? "Nobody it knows" : first.name);
    while (list.children.length > first.bars.length) list.lastChild.remove();
    first.bars.forEach(([name, share], number) => {
      const row = list.children[number] ?? list.appendChild(make("li", {}, make("i"), make("span"), make("b")));
      row.children[0].style.width = `${100 * share}%`;
      row.children[1].textContent = name;
      row.children[2].textContent = percent(share);
    });
    teach.hidden = false;
    if (document.activeElement !== whom) whom.value = first.known === false ? "" : first.name;
    explain.hidden = isLive || !answer.explains;
    if (isLive) why.hidden = true;
  }

  async function explainIt() {
    const answer = await ask("why");
    if (!answer.src) { tell(problem, answer.problem ?? "It cannot say why."); return; }
    why.replaceChildren(make("img", { src: answer.src, alt: `heat map of what speaks for ${answer.name}` }),
      make("figcaption", {}, make("b", { className: "cm-for", textContent: "Blue" }), ` speaks for ${answer.name}, `,
        make("b", { className: "cm-against", textContent: "orange" }), " against."));
    why.hidden = false;
  }

  // The photograph that was asked about before a reload comes back, with what is known of it now.
  async function again() {
    const turn = asked += 1;
    const answer = await ask("again");
    if (turn === asked && !running && answer.src) show(answer, null, false);
  }

  function teachIt() {
    if (!whom.value.trim()) { tell(problem, "Type who it is.", true); whom.focus(); return; }
    if (!shown) return;
    const file = shown.file ?? asFile(shown.answer.src, "tried.jpg");
    send([{ file, path: file.name }], [whom.value.trim()]);
  }

  files.addEventListener("change", () => { if (files.files[0]) look(files.files[0]); files.value = ""; });
  root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("over"); });
  root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) root.classList.remove("over"); });
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("over");
    if (event.dataTransfer.files[0]) look(event.dataTransfer.files[0]);
  });
  root.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    look(event.clipboardData.files[0]);
  });
  root.tabIndex = -1; // so that a click here makes it the place to paste
  const fill = () => known.replaceChildren(...model.get("people").map((person) => new Option(person.name)));
  model.on("change:people", fill);
  // What it knows has changed: ask again about the photograph that is shown.
  model.on("change:learnt", () => {
    if (!shown || running) return;
    if (shown.file) look(shown.file); else again();
  });
  fill();
  return { root, stop, again };
}
