// From a file to pixels, the right way up, with the browser's own decoders.
import { Failure } from "../failure.js";
import { picture } from "./pixels.js";

const LARGE = 4e6; // pixels; up to here nothing has to be spared
const LONGEST = 1600; // pixels of the longer side that is left of a larger photograph
const STRIP = 64; // lines that are looked at together

/** How many times smaller a photograph is read: a JPEG as Pillow drafts it, anything else only when it is large. */
function factorOf(isJpeg, width, height, atLeast) {
  const longer = Math.max(width, height);
  if (isJpeg) {
    const wanted = [width, height].map((side) => Math.ceil(side * Math.min(1, atLeast / longer)));
    const most = Math.min(Math.floor(width / wanted[0]), Math.floor(height / wanted[1]));
    return [8, 4, 2, 1].find((factor) => factor <= most) ?? 1;
  }
  return width * height > LARGE ? Math.ceil(longer / LONGEST) : 1;
}

function canvasOf(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (!context) throw new Failure("The photograph needs more memory than this browser gives a page.", "Make it smaller.", { again: false });
  return context;
}

/** Pixels of a part of a bitmap, on white where it is transparent. */
function strip(context, bitmap, top, height) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, bitmap.width, height);
  context.drawImage(bitmap, 0, top, bitmap.width, height, 0, 0, bitmap.width, height);
  return context.getImageData(0, 0, bitmap.width, height).data;
}

/** Means over squares of `factor` pixels, a few lines at a time, so that no copy of full size is made. */
function reduced(bitmap, factor) {
  const out = picture(Math.ceil(bitmap.width / factor), Math.ceil(bitmap.height / factor));
  const context = canvasOf(bitmap.width, factor * STRIP);
  for (let line = 0; line < out.height; line += STRIP) {
    const lines = Math.min(factor * STRIP, bitmap.height - line * factor);
    const data = strip(context, bitmap, line * factor, lines);
    const sums = new Float32Array(3 * out.width);
    for (let top = 0; top < lines; top += factor) {
      const high = Math.min(factor, lines - top);
      sums.fill(0);
      for (let y = top; y < top + high; y += 1) {
        for (let x = 0, at = 4 * y * bitmap.width, to = 0, inside = 0; x < bitmap.width; x += 1, at += 4) {
          sums[to] += data[at];
          sums[to + 1] += data[at + 1];
          sums[to + 2] += data[at + 2];
          inside += 1;
          if (inside === factor) [to, inside] = [to + 3, 0];
        }
      }
      for (let x = 0, to = 4 * (line + top / factor) * out.width; x < out.width; x += 1, to += 4) {
        const count = high * Math.min(factor, bitmap.width - x * factor);
        for (let k = 0; k < 3; k += 1) out.data[to + k] = sums[3 * x + k] / count;
      }
    }
  }
  return out;
}

/** @param {ImageBitmap} bitmap the right way up */
function photograph(bitmap, factor) {
  const { width, height } = bitmap;
  let pixels;
  if (factor > 1) pixels = reduced(bitmap, factor);
  else pixels = { data: strip(canvasOf(width, height), bitmap, 0, height), width, height };
  bitmap.close();
  return { pixels, width, height, scale: Math.max(width, height) / Math.max(pixels.width, pixels.height) };
}

/**
 * A photograph as the detector takes it. Throws a Failure with a sentence for the user.
 * @param {Blob | ImageBitmap} source a file, or a picture of the camera
 * @param {{ at_least: number, max_pixels: number, min_side: number }} limits
 */
export async function decoded(source, limits) {
  if (source instanceof ImageBitmap) return photograph(source, 1);
  if (source.size === 0) throw new Failure("The file is empty.", "Choose another one.", { again: false });
  const start = new Uint8Array(await source.slice(0, 2).arrayBuffer());
  let bitmap;
  try {
    bitmap = await createImageBitmap(source, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Failure("This browser cannot read the file as a photograph.", "It may be damaged, or of a kind that the browser does not know; save it as JPEG or PNG.", { again: false });
  }
  const { width, height } = bitmap;
  if (width * height > limits.max_pixels) {
    bitmap.close();
    throw new Failure(`${width}×${height} pixels are too many; ${Math.floor(limits.max_pixels / 1e6)} megapixels are allowed.`, "Make it smaller.", { again: false });
  }
  if (Math.min(width, height) < limits.min_side) {
    bitmap.close();
    throw new Failure(`${width}×${height} pixels are too few to hold a face.`, `At least ${limits.min_side} on each side are needed.`, { again: false });
  }
  return photograph(bitmap, factorOf(start[0] === 0xff && start[1] === 0xd8, width, height, limits.at_least));
}
