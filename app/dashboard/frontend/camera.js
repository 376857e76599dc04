// The camera: one stream for whoever looks, and pictures of what it sees.

export function camera() {
  let stream = null, users = 0;

  async function open(video) {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("This browser gives no camera to this page.");
    try {
      stream ??= await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" } });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError"
        ? "The camera is not allowed here. Allow it in the address bar, then try again." : "No camera was found.");
    }
    users += 1;
    video.srcObject = stream;
    await video.play();
  }

  function close(video) {
    if (!video.srcObject) return;
    video.srcObject = null;
    users -= 1;
    if (users <= 0 && stream) {
      stream.getTracks().forEach((track) => track.stop());
      stream = null;
      users = 0;
    }
  }

  const canvas = document.createElement("canvas");
  // Nothing while there is no picture yet.
  function shoot(video, width = 640, quality = 0.92) {
    if (!video.videoWidth) return Promise.resolve(null);
    const scale = Math.min(1, width / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  }

  return { open, close, shoot };
}

// A camera in a card: hold the button, and a picture is taken five times a second.
export function recorder({ cam, make, button, take, said }) {
  const video = make("video", { muted: true, playsInline: true, className: "cm-video", aria: { label: "what the camera sees" } });
  const hold = button("Hold to record", () => {}, { className: "cm-button cm-main cm-hold", disabled: true });
  const count = make("span", { className: "cm-small" });
  const root = make("div", { className: "cm-recorder" }, video, make("div", { className: "cm-row" }, hold, count));
  let timer = 0, shots = [];

  const begin = (event) => {
    if (timer || (event.type === "keydown" && ![" ", "Enter"].includes(event.key))) return;
    event.preventDefault();
    shots = [];
    hold.classList.add("on");
    const one = async () => {
      const blob = await cam.shoot(video);
      if (!blob) return;
      shots.push(new File([blob], `camera-${Date.now()}-${shots.length}.jpg`, { type: "image/jpeg" }));
      count.textContent = `${shots.length}`;
    };
    one();
    timer = setInterval(one, 200);
  };
  const end = () => {
    if (!timer) return;
    clearInterval(timer);
    timer = 0;
    hold.classList.remove("on");
    const files = shots;
    setTimeout(() => { if (files.length) take(files.map((file) => ({ file, path: file.name }))); }, 60);
  };
  hold.addEventListener("pointerdown", begin);
  hold.addEventListener("keydown", begin);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) hold.addEventListener(name, end);
  cam.open(video).then(() => { hold.disabled = false; }).catch((error) => { said(error.message); root.remove(); });
  return { root, close() { end(); cam.close(video); root.remove(); } };
}
