// All the ways a photograph comes in: drop, pick, paste, address, camera. Each ends in take([{ name, blob } or { name, url }]).
import { Failure } from "./api.js";

const $ = (id) => document.getElementById(id);
const LONGEST = 2000; // pixels; a face needs far fewer, and a phone's photograph travels ten times faster
const BIG = 3 * 1024 * 1024;

// A large photograph is made smaller here, so that a slow connection need not carry what nobody looks at.
export async function shrink(blob, maxBytes) {
  if (blob.size === 0) throw new Failure("The file is empty.", "Choose another one.", { again: false });
  if (blob.size <= BIG) return blob;
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    if (blob.size <= maxBytes) return blob; // the server may know a format that this browser does not
    const limit = Math.floor(maxBytes / 1e6);
    throw new Failure(`The file is larger than ${limit} MB, and this browser cannot make it smaller.`, "Save it as a smaller JPEG.", { again: false });
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob((small) => done(small || blob), "image/jpeg", 0.92));
}

export function listen(take) {
  const asItems = (files) => [...files].map((file) => ({ name: file.name || "photograph", blob: file }));
  const input = $("file");
  $("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(asItems(input.files));
    input.value = "";
  });
  listenToDrop(asItems, take);
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    take(asItems(files));
  });
  $("url-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = $("url").value.trim();
    take([{ name: new URL(url).pathname.split("/").pop() || url, url }]);
    $("url").value = "";
  });
  listenToCamera(take);
}

function listenToDrop(asItems, take) {
  let inside = 0; // the events of child elements come in between
  const mark = (change) => {
    inside = Math.max(0, inside + change);
    $("drop").classList.toggle("over", inside > 0);
  };
  const withFiles = (event) => [...event.dataTransfer.types].includes("Files");
  window.addEventListener("dragenter", (event) => withFiles(event) && mark(1));
  window.addEventListener("dragleave", (event) => withFiles(event) && mark(-1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-inside);
    if (event.dataTransfer.files.length) take(asItems(event.dataTransfer.files));
  });
}

function listenToCamera(take) {
  const dialog = $("camera");
  const video = $("video");
  const problem = $("camera-problem");
  const stop = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  $("camera-open").addEventListener("click", async () => {
    problem.hidden = true;
    $("shoot").disabled = true;
    dialog.showModal();
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
      await video.play();
      $("shoot").disabled = false;
    } catch (error) {
      problem.textContent = cameraProblem(error.name);
      problem.hidden = false;
    }
    if (!dialog.open) stop(); // closed while the browser was asking
  });
  $("shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => take([{ name: "camera.jpg", blob }]), "image/jpeg", 0.92);
    dialog.close();
  });
  $("camera-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
}

function cameraProblem(name) {
  if (name === "NotAllowedError") return "The camera was not allowed. Allow it in the browser's address bar, or choose a file.";
  if (name === "NotFoundError") return "No camera was found. Connect one, or choose a file.";
  if (name === "NotReadableError") return "The camera is used by another program. Close that, or choose a file.";
  return "The camera works on https pages only. Choose a file instead.";
}
