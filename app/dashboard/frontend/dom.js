// Small helpers that every part of the page uses.

// make("p", { className: "cm-small" }, "text", child)
export function make(tag, given = {}, ...children) {
  const { aria = {}, data = {}, on = {}, ...rest } = given;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(name === "role" ? "role" : `aria-${name}`, value);
  Object.assign(made.dataset, data);
  for (const [name, act] of Object.entries(on)) made.addEventListener(name, act);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function button(text, act, given = {}) {
  const made = make("button", { type: "button", className: "cm-button", textContent: text, ...given });
  made.addEventListener("click", act);
  return made;
}

export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
export const percent = (share) => `${Math.round(100 * share)} %`;

// A picture whose address holds it, as a file.
export function asFile(address, name) {
  const [kind, data] = address.replace("data:", "").split(";base64,");
  return new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name, { type: kind });
}

// Set text only where it differs, so that a screen reader is not told twice; the same sentence again is told again.
export function tell(element, text, again = false) {
  if (again && element.textContent === text) element.textContent = "";
  if (element.textContent !== text) element.textContent = text;
}

// Questions to Python, answered by number: ask(kind, values, bytes) gives a promise.
export function questions(model) {
  const waiting = new Map();
  let last = 0;
  model.on("msg:custom", (message) => {
    const found = waiting.get(message.re);
    if (found) { waiting.delete(message.re); found(message); }
  });
  return (kind, values = {}, bytes = null) => new Promise((resolve) => {
    const id = `${Date.now()}-${last += 1}`;
    waiting.set(id, resolve);
    model.send({ kind, id, ...values }, undefined, bytes ? [bytes] : undefined);
  });
}

// A dialog that closes with Escape, gives focus back, and leaves nothing behind.
export function dialog(title, root, ...children) {
  const close = button("Close", () => made.close(), { className: "cm-button cm-close" });
  const heading = make("h2", { textContent: title, tabIndex: -1 });
  const made = make("dialog", { className: "cm-dialog", aria: { label: title } },
    make("div", { className: "cm-dialog-head" }, heading, close), ...children);
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
  root.append(made);
  made.showModal();
  heading.focus();
  return made;
}
