// A place to drop files. Files go to Python one at a time, so that neither side holds more than one of them.
const KINDS = "image/*,.zip,.pgm,.ppm,.heic,.tif,.tiff,.bmp,.webp,.jfif";

function make(tag, given = {}, ...children) {
  const made = Object.assign(document.createElement(tag), given);
  made.append(...children);
  return made;
}

// Everything under what was dropped, folders included, with paths like a folder's own.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  async function walk(entry, before) {
    const path = before + entry.name;
    if (entry.isFile) {
      found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const inner of some) await walk(inner, `${path}/`);
    }
  }
  for (const entry of entries) await walk(entry, "");
  return found;
}

function render({ model, el }) {
  let waiting = [], total = 0, timer = 0;
  const files = make("input", { type: "file", accept: KINDS, hidden: true });
  const folder = make("input", { type: "file", hidden: true });
  folder.webkitdirectory = true;
  files.multiple = model.get("several");
  files.className = "cm-files";
  folder.className = "cm-folder";
  const choose = make("button", { type: "button", className: "cm-button", textContent: "Choose files" });
  const chooseFolder = make("button", { type: "button", className: "cm-button", textContent: "Choose a folder" });
  const title = make("p", { className: "cm-drop-text", textContent: model.get("text") });
  const most = Math.round(model.get("most_bytes") / 1e6);
  const hint = make("p", { className: "cm-small", textContent: model.get("several")
    ? `Photographs, a folder, or a zip; or paste with Ctrl+V. Up to ${most} MB at once.`
    : `Or paste with Ctrl+V. Up to ${most} MB.` });
  const said = make("p", { className: "cm-said" });
  said.setAttribute("role", "status");
  const buttons = make("div", { className: "cm-buttons" }, choose, ...(model.get("several") ? [chooseFolder] : []));
  const root = make("section", { className: "cm-drop" }, title, buttons, hint, said, files, folder);
  root.setAttribute("aria-label", model.get("text"));
  el.append(root);

  const say = (text) => { said.textContent = text; };

  async function next() {
    clearTimeout(timer);
    const one = waiting.shift();
    if (!one) return;
    if (waiting.length || total > 1) say(`${total - waiting.length} of ${total}: ${one.file.name}`);
    let bytes;
    try {
      bytes = await one.file.arrayBuffer();
    } catch {
      say(`${one.file.name} could not be read; choose it again.`);
      next();
      return;
    }
    model.send({ kind: "file", path: one.path }, undefined, [bytes]);
    timer = setTimeout(() => say("The dashboard does not answer. Reload this page: what arrived is kept."), 60000);
  }

  function begin(found) {
    if (!found.length) return;
    if (waiting.length) { say("Wait until the photographs before these have arrived."); return; }
    if (!model.get("several")) found = found.slice(0, 1);
    const limit = model.get("most_bytes");
    const inMb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
    const all = found.reduce((sum, one) => sum + one.file.size, 0);
    const huge = found.find((one) => one.file.size > limit);
    if (huge) { say(`${huge.file.name} has ${inMb(huge.file.size)}, but at most ${inMb(limit)} are taken at once. Nothing was sent.`); return; }
    if (all > limit) { say(`These are ${inMb(all)} together, but at most ${inMb(limit)} are taken at once. Send them in parts.`); return; }
    waiting = found;
    total = found.length;
    say("sending…");
    model.send({ kind: "begin", paths: found.map((one) => one.path) });
    next();
  }

  const chosen = (input) => {
    begin([...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    input.value = "";
  };
  choose.addEventListener("click", () => files.click());
  chooseFolder.addEventListener("click", () => folder.click());
  files.addEventListener("change", () => chosen(files));
  folder.addEventListener("change", () => chosen(folder));
  root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("over"); });
  root.addEventListener("dragleave", () => root.classList.remove("over"));
  root.addEventListener("drop", async (event) => {
    event.preventDefault();
    root.classList.remove("over");
    begin(await filesOf(event.dataTransfer));
  });
  const pasted = (event) => {
    if (!root.offsetParent || !event.clipboardData?.files.length) return; // only the one on screen
    event.preventDefault();
    begin([...event.clipboardData.files].map((file) => ({ file, path: file.name })));
  };
  document.addEventListener("paste", pasted);
  model.on("msg:custom", (message) => { if (message.kind === "next") next(); else if (message.kind === "pong") awake(); });
  model.on("change:said", () => { if (!waiting.length) say(model.get("said")); });

  // A kernel whose page is closed is ended after a while; a page that finds its kernel gone must say so.
  const asleep = make("div", { className: "cm-asleep", hidden: true,
    textContent: "The dashboard has gone to sleep. Reload this page: everything is kept." });
  asleep.setAttribute("role", "alert");
  root.append(asleep);
  let missed = 0;
  function awake() { missed = 0; asleep.hidden = true; }
  const beat = setInterval(() => {
    if (document.hidden) return;
    missed += 1;
    if (missed > 3) asleep.hidden = false;
    model.send({ kind: "ping" });
  }, 20000);
  model.send({ kind: "seen" });
  return () => { document.removeEventListener("paste", pasted); clearInterval(beat); };
}

export default { render };
