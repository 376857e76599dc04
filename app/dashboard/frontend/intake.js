// Files on their way in. Each travels by itself, with the name that its card had at the moment it was dropped.
import { plural } from "./dom.js";

export const KINDS = "image/*,.zip,.pgm,.ppm,.tif,.tiff,.bmp,.webp,.jfif";
const AT_ONCE = 2;
const MOST = 80e6, MOST_ZIP = 2e9;
const LEFT = "celebml-arriving"; // what a reload interrupts is remembered here

// Everything under what was dropped, folders included, with paths like a folder's own.
export async function filesOf(transfer) {
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
  return found.filter((one) => !one.path.split("/").some((part) => part.startsWith(".")));
}

export const chosenFiles = (input) => [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

// Whom each file shows: its own folder where folders tell people apart, else the name on the card, else the folder.
export function peopleOf(found, name) {
  const parents = found.map((one) => one.path.split("/").slice(-2, -1)[0] ?? "");
  const several = new Set(parents).size > 1;
  return parents.map((parent) => (several ? parent || name : name || parent));
}

// Sends files; `said(text, isOver)` is told how far it is.
export function intake({ served, ask, said }) {
  const waiting = [];
  let under = 0, total = 0, done = 0, kept = 0, problems = [], batch = "";

  function remember() {
    const left = total - done;
    if (left) sessionStorage.setItem(LEFT, JSON.stringify({ total, kept, names: waiting.slice(0, 3).map((one) => one.path) }));
    else sessionStorage.removeItem(LEFT);
  }

  async function deliver(one) {
    const values = { person: one.person, path: one.path, batch };
    if (!served) return ask("file", values, await one.file.arrayBuffer());
    const address = `celebml/photos?${new URLSearchParams(values)}`;
    const answer = await fetch(address, { method: "POST", body: one.file, headers: { "Content-Type": "application/octet-stream" } });
    return answer.json();
  }

  async function send() {
    while (under < AT_ONCE && waiting.length) {
      const one = waiting.shift();
      under += 1;
      (async () => {
        const most = one.path.toLowerCase().endsWith(".zip") ? MOST_ZIP : MOST;
        try {
          if (one.file.size > most) throw new Error(`${one.path} has ${Math.round(one.file.size / 1e6)} MB; at most ${most / 1e6} MB are taken.`);
          const answer = await deliver(one);
          kept += answer.kept?.length ?? 0;
          problems.push(...(answer.problems ?? []));
        } catch (error) {
          problems.push(error instanceof TypeError
            ? `${one.path} did not arrive: the dashboard does not answer. Drop it again when it does.` : error.message);
        }
        under -= 1;
        done += 1;
        remember();
        report();
        send();
      })();
    }
  }

  function report() {
    if (done < total) { said({ text: `${done} of ${total} arrived`, share: done / total, problems: [] }); return; }
    said({ text: `${plural(kept, "photograph")} kept.`, share: 1, problems, over: true });
    total = done = kept = 0;
    problems = [];
  }

  window.addEventListener("beforeunload", (event) => { if (done < total) event.preventDefault(); });

  return {
    busy: () => done < total,
    add(found, people) {
      if (!found.length) { said({ text: "There was no file in it.", share: 1, problems: [], over: true }); return; }
      if (done >= total) batch = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
      found.forEach((one, number) => waiting.push({ ...one, person: people[number] }));
      total += found.length;
      remember();
      report();
      send();
    },
    // What a page before this one did not finish, in words; asked once.
    interrupted() {
      const left = JSON.parse(sessionStorage.getItem(LEFT) ?? "null");
      sessionStorage.removeItem(LEFT);
      if (!left) return "";
      return `This page was reloaded while photographs arrived: ${left.kept} of ${left.total} are kept. Drop the others again; those that are here already are not taken twice.`;
    },
  };
}
