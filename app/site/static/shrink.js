// A photograph is made smaller before it travels: by its pixels, since a small file may unfold into many.
import { Failure } from "./failure.js";

const LONGEST = 2000; // pixels; a face needs far fewer, and a phone's photograph travels ten times faster
const BIG = 3 * 1024 * 1024;

export async function shrink(blob, maxBytes) {
  if (blob.size === 0) throw new Failure("The file is empty.", "Choose another one.", { again: false });
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    if (blob.size <= maxBytes) return blob; // the server may know a format that this browser does not
    const limit = Math.floor(maxBytes / 1e6);
    throw new Failure(`The file is larger than ${limit} MB, and this browser cannot make it smaller.`, "Save it as a smaller JPEG.", { again: false });
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && blob.size <= BIG) {
    bitmap.close();
    return blob;
  }
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob((small) => done(small || blob), "image/jpeg", 0.92));
}
