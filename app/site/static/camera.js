// The camera's dialog: front or back, mirrored as in a mirror, and live answers for who asks for them.
import { $, make } from "./dom.js";
import { verdict } from "./words.js";

const LIVE = 480; // pixels of the longer side of a picture that is looked at live

export function listenToCamera(take, engine, known) {
  const dialog = $("camera");
  const video = $("video");
  const problem = $("camera-problem");
  let facing = "user";

  const stop = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    $("live-boxes").replaceChildren();
  };

  async function open() {
    stop();
    problem.hidden = true;
    $("shoot").disabled = true;
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
      await video.play();
      const turned = video.srcObject.getVideoTracks()[0]?.getSettings().facingMode;
      $("viewfinder").classList.toggle("mirrored", (turned ?? facing) !== "environment");
      $("shoot").disabled = false;
    } catch (error) {
      problem.textContent = cameraProblem(error.name);
      problem.hidden = false;
    }
    if (!dialog.open) stop(); // closed while the browser was asking
  }

  // One picture after the other, each asked for when the one before is answered.
  async function live() {
    while (dialog.open && $("live").checked && video.srcObject) {
      const scale = Math.min(1, LIVE / Math.max(video.videoWidth, video.videoHeight, 1));
      try {
        const size = { resizeWidth: Math.round(video.videoWidth * scale), resizeHeight: Math.round(video.videoHeight * scale) };
        const found = await engine.live(await createImageBitmap(video, size));
        if ($("live").checked && video.srcObject) showLive(found);
      } catch (error) {
        problem.textContent = error.words ?? "The camera's picture could not be looked at.";
        problem.hidden = false;
        $("live").checked = false;
      }
    }
    $("live-boxes").replaceChildren();
  }

  function showLive({ faces, width, height }) {
    $("live-boxes").replaceChildren(...faces.map((face) => {
      const box = make("div", { className: "box" }, make("span", { className: "label", textContent: verdict(face, known.call) }));
      box.style.left = `${(100 * face.box.x) / width}%`;
      box.style.top = `${(100 * face.box.y) / height}%`;
      box.style.width = `${(100 * face.box.width) / width}%`;
      box.style.height = `${(100 * face.box.height) / height}%`;
      return box;
    }));
  }

  $("camera-open").addEventListener("click", () => {
    $("live").checked = false;
    $("live").parentElement.hidden = !engine.live;
    dialog.showModal();
    open();
  });
  $("camera-turn").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    open();
  });
  $("live").addEventListener("change", live);
  $("shoot").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0); // as others see the face: the model learnt it so
    canvas.toBlob((blob) => take([{ name: "camera.jpg", blob }]), "image/jpeg", 0.92);
    dialog.close();
  });
  $("camera-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
}

function cameraProblem(name) {
  if (name === "NotAllowedError") return "The camera was not allowed. Allow it in the browser's address bar, or choose a file.";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "No such camera was found. Connect one, or choose a file.";
  if (name === "NotReadableError") return "The camera is used by another program. Close that, or choose a file.";
  return "The camera works on https pages only. Choose a file instead.";
}
