// "That's wrong": the dialog in which a visitor sends the right name of one face, and the receipt for it.
import { $, make } from "./dom.js";
import { asFailure } from "./failure.js";

// Returns what opens the dialog for one face of one photograph.
export function correction(engine, known, say) {
  let open = null;
  $("wrong-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { item, face, done } = open;
    const right = $("wrong-name").value === "-" ? "" : $("wrong-name").value;
    $("wrong-send").disabled = true;
    try {
      const receipt = await engine.correct(item, face, face.known === false ? "unknown" : face.name, right);
      $("wrong").close();
      const called = right ? known.call(right) : "somebody else";
      const words = receipt.kept ? `Thank you. This face is kept as ${called} until ${receipt.until}.` : "This face was sent before; nothing new is kept.";
      const note = make("p", { className: "done", role: "status", tabIndex: -1 }, words);
      if (receipt.kept) note.append(" ", make("a", { href: receipt.page, target: "_blank", rel: "noopener", textContent: "See it, or erase it" }));
      done(note);
      note.focus();
      say(words);
    } catch (error) {
      $("wrong-problem").textContent = asFailure(error).words;
      $("wrong-problem").hidden = false;
    } finally {
      $("wrong-send").disabled = false;
    }
  });
  $("wrong-close").addEventListener("click", () => $("wrong").close());
  return (item, face, done) => {
    open = { item, face, done };
    $("wrong-said").textContent = face.known === false ? "I said that I do not know this person." : `I said ${known.call(face.name)}.`;
    drawFace(item, face);
    $("wrong-name").selectedIndex = 0;
    $("wrong-consent").checked = false;
    $("wrong-problem").hidden = true;
    $("wrong").showModal();
  };
}

// The part of the photograph that would be kept.
async function drawFace(item, { box }) {
  const canvas = $("wrong-face");
  canvas.hidden = true;
  try {
    const bitmap = await createImageBitmap(item.blob);
    const side = 2 * Math.max(box.width, box.height);
    const [x, y] = [box.x + box.width / 2 - side / 2, box.y + box.height / 2 - side / 2];
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, x, y, side, side, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    canvas.hidden = false;
  } catch {
    // a format that only the server reads; the words say which face is meant
  }
}
