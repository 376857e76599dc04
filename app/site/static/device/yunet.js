// The face detector YuNet: what is done before and after the network, as in celebml.landmarks.
import { bordered, resized, round, shrunk } from "./pixels.js";

/** @typedef {import("./pixels.js").Picture} Picture */
/** @typedef {[number, number]} Point */
/** @typedef {{ x: number, y: number, width: number, height: number, points: Point[], score: number }} Found  pixels of the picture */
/** @typedef {(planes: Float32Array, width: number, height: number) => Promise<Float32Array[]>} Network  tables by kind (sure, there, box, points), and stride within a kind */

const STRIDES = [8, 16, 32]; // pixels a cell
const MOST = 500; // faces that are compared with each other
const OVERLAP = 0.3;

/** Blue, green and red planes, filled up with black to a multiple of 32. @param {Picture} source */
function planes(source) {
  const [width, height] = [32 * Math.ceil(source.width / 32), 32 * Math.ceil(source.height / 32)];
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let y = 0, from = 0; y < source.height; y += 1) {
    for (let x = 0, to = y * width; x < source.width; x += 1, to += 1, from += 4) {
      out[to] = source.data[from + 2];
      out[to + size] = source.data[from + 1];
      out[to + 2 * size] = source.data[from];
    }
  }
  return { data: out, width, height };
}

/** Cells of one grid that reach the threshold. @param {Float32Array[]} tables @returns {Found[]} */
function located([sure, there, box, points], width, stride, threshold) {
  const found = [];
  const columns = width / stride;
  for (let cell = 0; cell < sure.length; cell += 1) {
    const score = Math.sqrt(sure[cell] * there[cell]);
    if (!(score >= threshold)) continue;
    const [left, top] = [cell % columns, Math.floor(cell / columns)];
    const [wide, high] = [Math.exp(box[4 * cell + 2]), Math.exp(box[4 * cell + 3])];
    found.push({
      x: (left + box[4 * cell] - wide / 2) * stride,
      y: (top + box[4 * cell + 1] - high / 2) * stride,
      width: wide * stride,
      height: high * stride,
      points: Array.from({ length: 5 }, (_, k) => [(points[10 * cell + 2 * k] + left) * stride, (points[10 * cell + 2 * k + 1] + top) * stride]),
      score,
    });
  }
  return found;
}

/** Share of two boxes of whole pixels that they have in common. @param {number[]} a @param {number[]} b */
function overlap(a, b) {
  const wide = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  const common = wide > 0 && high > 0 ? wide * high : 0;
  const all = a[2] * a[3] + b[2] * b[3] - common;
  return all > 0 ? common / all : 0;
}

/** Without those that overlap a surer one, surest first. @param {Found[]} found */
function surest(found) {
  const kept = [];
  const boxes = [];
  for (const face of found.sort((a, b) => b.score - a.score).slice(0, MOST)) {
    const box = [face.x, face.y, face.width, face.height].map(Math.trunc);
    if (boxes.every((other) => overlap(box, other) <= OVERLAP)) {
      kept.push(face);
      boxes.push(box);
    }
  }
  return kept;
}

/**
 * Faces as YuNet gives them, surest first, in pixels of the picture it was given.
 * @param {Network} network @param {Picture} source @param {number} side longer side that the network sees @param {number} threshold
 * @param {number} border replicated, as a share of the longer side
 */
export async function yunetFaces(network, source, side, threshold, border = 0) {
  const longer = Math.max(source.width, source.height);
  const pad = round(border * longer);
  const scale = side / (longer + 2 * pad);
  const [width, height] = [source.width, source.height].map((value) => Math.max(8, round(value * scale)));
  const small = (scale < 1 ? shrunk : resized)(source, width, height);
  const edge = round(pad * scale);
  const seen = planes(edge ? bordered(small, edge) : small);
  const tables = await network(seen.data, seen.width, seen.height);
  const grids = STRIDES.map((stride, k) => located([0, 3, 6, 9].map((kind) => tables[kind + k]), seen.width, stride, threshold));
  const [across, down] = [source.width / width, source.height / height];
  return surest(grids.flat()).map((face) => ({
    x: (face.x - edge) * across,
    y: (face.y - edge) * down,
    width: face.width * across,
    height: face.height * down,
    points: face.points.map(([x, y]) => /** @type {Point} */ ([(x - edge) * across, (y - edge) * down])),
    score: face.score,
  }));
}
