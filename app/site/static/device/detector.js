// Faces of a photograph, each cut out upright: the detector of celebml.landmarks, with its settings from the model.
import { mirrored, round, warped } from "./pixels.js";
import { yunetFaces } from "./yunet.js";

/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {import("./yunet.js").Point} Point */
/** @typedef {{ looks: [number, number][], threshold: number, max_faces: number, worth: number, look_size: number, enlarged: number, crop_size: number, template: Point[] }} Settings */
/** @typedef {{ box: { x: number, y: number, width: number, height: number }, score: number, crop: Picture }} Face */

const MIRRORED = [1, 0, 2, 4, 3]; // the other eye, the nose, the other corner of the mouth
const AGAIN = 0.3; // least score in the second look
const NEAR = 0.12; // how far from the middle of the window its face may be, as a share of the window

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Least-squares similarity that takes points to the template. @param {Point[]} points @param {Point[]} target @returns {import("./pixels.js").Similarity} */
export function similarity(points, target) {
  const [mx, my, tx, ty] = [...[0, 1].map((k) => mean(points.map((p) => p[k]))), ...[0, 1].map((k) => mean(target.map((p) => p[k])))];
  let [real, imaginary, spread] = [0, 0, 0];
  points.forEach(([px, py], i) => {
    const [x, y, u, v] = [px - mx, py - my, target[i][0] - tx, target[i][1] - ty];
    real += x * u + y * v;
    imaginary += x * v - y * u;
    spread += x * x + y * y;
  });
  const [a, b] = [real / Math.max(spread, 1e-9), imaginary / Math.max(spread, 1e-9)];
  return [a, -b, tx - a * mx + b * my, b, a, ty - b * mx - a * my];
}

/** Landmarks found again in an enlarged window around a face, as it is and mirrored. */
async function secondLook(network, source, points, seen, settings) {
  const size = settings.look_size;
  const middle = [0, 1].map((k) => mean(points.map((point) => point[k])));
  const extent = Math.max(1, ...[0, 1].map((k) => Math.max(...points.map((p) => p[k])) - Math.min(...points.map((p) => p[k]))));
  const scale = size / (4 * extent);
  const shift = middle.map((value) => size / 2 - scale * value);
  const window = warped(source, [scale, 0, shift[0], 0, scale, shift[1]], size);
  const inside = Math.min(...middle.map((value, k) => Math.min(value, [source.width, source.height][k] - value) - 2 * extent)) >= 0;
  const enough = inside && scale <= settings.enlarged * seen; // at an edge the first look has little to go by
  const found = enough ? [points] : [];
  for (const turned of enough ? [true] : [false, true]) {
    const faces = await yunetFaces(network, turned ? mirrored(window) : window, size, AGAIN);
    const places = faces.map((face) => (turned ? MIRRORED.map((k) => [size - 1 - face.points[k][0], face.points[k][1]]) : face.points));
    const off = places.map((some) => Math.hypot(...[0, 1].map((k) => mean(some.map((point) => point[k])) - size / 2)));
    const nearest = off.indexOf(Math.min(...off));
    if (off[nearest] < NEAR * size) found.push(places[nearest].map(([x, y]) => [(x - shift[0]) / scale, (y - shift[1]) / scale]));
  }
  return found;
}

/** @returns {Promise<Face>} */
async function aligned(network, photo, found, seen, again, settings) {
  const looks = again ? await secondLook(network, photo.pixels, found.points, seen, settings) : [];
  const points = looks.length ? found.points.map((_, i) => [0, 1].map((k) => mean(looks.map((look) => look[i][k])))) : found.points;
  const [x, y, width, height] = [found.x, found.y, found.width, found.height].map((value) => round(value * photo.scale));
  const [left, top] = [Math.min(Math.max(x, 0), photo.width - 1), Math.min(Math.max(y, 0), photo.height - 1)];
  const box = {
    x: left,
    y: top,
    width: Math.max(Math.min(x + width, photo.width) - left, 1),
    height: Math.max(Math.min(y + height, photo.height) - top, 1),
  };
  return { box, score: found.score, crop: warped(photo.pixels, similarity(points, settings.template), settings.crop_size) };
}

/**
 * The faces of one photograph, biggest first.
 * @param {import("./yunet.js").Network} network
 * @param {{ pixels: Picture, width: number, height: number, scale: number }} photo its own size, and how many of its pixels one of `pixels` stands for
 * @param {Settings} settings
 * @returns {Promise<Face[]>}
 */
export async function detected(network, photo, settings) {
  for (const [side, border] of settings.looks) {
    const found = await yunetFaces(network, photo.pixels, side, settings.threshold, border);
    if (!found.length) continue;
    const seen = side / ((1 + 2 * border) * Math.max(photo.pixels.width, photo.pixels.height));
    const area = (face) => face.width * face.height;
    const faces = found.sort((a, b) => area(b) - area(a)).slice(0, settings.max_faces);
    const biggest = area(faces[0]);
    const all = [];
    for (const face of faces) all.push(await aligned(network, photo, face, seen, area(face) >= settings.worth * biggest, settings));
    return all;
  }
  return [];
}
