// The ways a photograph comes in, but for the camera: drop, pick, paste, address. Each ends in take([{ name, blob } or { name, url }]).
import { $ } from "./dom.js";

export function listenToIntake(take) {
  const input = $("file");
  $("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(asItems(input.files));
    input.value = "";
  });
  listenToDrop(take);
  document.addEventListener("paste", (event) => {
    if (event.target.matches?.("input, textarea, select")) return;
    const items = itemsOf(event.clipboardData);
    if (!items.length) return;
    event.preventDefault();
    take(items);
  });
  $("url-form").addEventListener("submit", (event) => {
    event.preventDefault();
    take([byAddress($("url").value.trim())]);
    $("url").value = "";
  });
}

const asItems = (files) => [...files].map((file) => ({ name: file.name || "photograph", blob: file }));

// What was dropped or pasted: files, or the address of a picture that was dragged out of another page.
function itemsOf(data) {
  if (data.files.length) return asItems(data.files);
  const html = new DOMParser().parseFromString(data.getData("text/html"), "text/html");
  const candidates = [html.querySelector("img")?.src, ...data.getData("text/uri-list").split(/\r?\n/), data.getData("text/plain").trim()];
  const address = candidates.find((one) => one && /^(https?:\/\/\S+|data:image\/\S+)$/.test(one));
  return address ? [byAddress(address)] : [];
}

function byAddress(address) {
  if (address.startsWith("data:")) return { name: "picture", load: () => decoded(address) };
  return { name: new URL(address).pathname.split("/").pop() || address, url: address };
}

// A data URL as a Blob; fetch() may not, under this page's policy.
async function decoded(address) {
  const [head, body] = address.split(",", 2);
  const text = head.endsWith(";base64") ? atob(body) : decodeURIComponent(body);
  return new Blob([Uint8Array.from(text, (letter) => letter.charCodeAt(0))], { type: head.slice(5).split(";")[0] });
}

function listenToDrop(take) {
  let inside = 0; // the events of child elements come in between
  const mark = (change) => {
    inside = Math.max(0, inside + change);
    $("drop").classList.toggle("over", inside > 0);
  };
  const wanted = (event) => [...event.dataTransfer.types].some((type) => type === "Files" || type === "text/uri-list");
  window.addEventListener("dragenter", (event) => wanted(event) && mark(1));
  window.addEventListener("dragleave", (event) => wanted(event) && mark(-1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-inside);
    const items = itemsOf(event.dataTransfer);
    if (items.length) take(items);
  });
}
