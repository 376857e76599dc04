// What is said of a face, in words. The same is said without JavaScript by `verdict` in views/pages.py.
import { percent } from "./dom.js";

export const ordered = (face) => Object.entries(face.probabilities).sort((a, b) => b[1] - a[1]);

// A few words; `call` gives a person's display name.
export function verdict(face, call) {
  const [[first, share], [second, other] = ["", 0]] = ordered(face);
  if (face.known === false) return "I don’t know this person";
  if (other >= share / 2) return `Probably ${call(first)}, perhaps ${call(second)}`;
  return share >= 0.7 ? call(first) : `Probably ${call(first)}`;
}

// The same with the number, for a list and for those who listen.
export function sentence(face, call) {
  if (face.known === false) return `I don’t know this person; ${call(face.name)} comes nearest`;
  return `${verdict(face, call)}, ${percent(face.probability)}`;
}

// Parts of the aligned face from top to bottom, and where each ends.
const PARTS = [["forehead", 0.28], ["eyes", 0.48], ["nose and cheeks", 0.68], ["mouth", 0.87], ["chin", 1]];

// Which parts of the face decided for the name rather than for the one that came second.
export function reason(face, why, call) {
  const rival = why.against;
  const sums = PARTS.map(() => 0);
  why.values.forEach((value, i) => {
    const height = (Math.floor(i / why.columns) + 0.5) / why.rows;
    sums[PARTS.findIndex(([, end]) => height < end)] += value - (rival ? rival.values[i] : 0);
  });
  const bySum = PARTS.map(([part], i) => [part, sums[i]]).sort((a, b) => b[1] - a[1]);
  const most = bySum.filter(([, sum]) => sum > 0).slice(0, 2).map(([part]) => part);
  const [least, lowest] = bySum.at(-1);
  const than = rival ? ` rather than ${call(rival.name)}` : "";
  if (!most.length) return `No part of the face speaks for ${call(face.name)}${than}; it is the likeliest all the same.`;
  const one = most.length === 1 && most[0] !== "eyes";
  const against = lowest < 0 ? ` The ${least} ${least === "eyes" || least.includes(" and ") ? "speak" : "speaks"} against.` : "";
  return `The ${most.join(" and the ")} ${one ? "speaks" : "speak"} most for ${call(face.name)}${than}.${against}`;
}
