// A heat map over the face that the model saw: which cells spoke for the name, and which against.
import { make } from "./dom.js";
import { reason } from "./words.js";

const FOR = [0, 114, 178]; // two colours that colour-blind people tell apart
const AGAINST = [213, 94, 0];
const SIDE = 224;

export function drawWhy(face, why, call) {
  if (!why) return make("p", { className: "small", textContent: "This model cannot say why for this face." });
  const canvas = make("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": inWords(call(face.name), why) });
  const crop = new Image();
  crop.addEventListener("load", () => paint(canvas, crop, why));
  crop.src = why.crop;
  const legend = make("figcaption", {},
    make("p", { textContent: reason(face, why, call) }),
    make("p", { className: "legend small" }, make("i"), `speaks for ${call(face.name)}`),
    make("p", { className: "legend small" }, make("i", { className: "against" }), "speaks against"));
  return make("figure", { className: "why" }, canvas, legend);
}

function paint(canvas, crop, why) {
  const context = canvas.getContext("2d");
  context.drawImage(crop, 0, 0, SIDE, SIDE);
  const peak = Math.max(...why.values.map(Math.abs), 1e-9);
  const map = document.createElement("canvas");
  map.width = why.columns;
  map.height = why.rows;
  const pixels = map.getContext("2d").createImageData(why.columns, why.rows);
  why.values.forEach((value, i) => {
    pixels.data.set([...(value > 0 ? FOR : AGAINST), Math.round(190 * Math.sqrt(Math.abs(value) / peak))], 4 * i);
  });
  map.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(map, 0, 0, SIDE, SIDE);
}

// The same for those who do not see it: where the strongest reasons are.
function inWords(name, why) {
  const place = (i) => {
    const row = Math.floor(i / why.columns) / Math.max(why.rows - 1, 1);
    const column = (i % why.columns) / Math.max(why.columns - 1, 1);
    const up = row < 0.34 ? "upper" : row > 0.66 ? "lower" : "middle";
    const side = column < 0.34 ? "left" : column > 0.66 ? "right" : "centre";
    return `${up} ${side}`;
  };
  const best = why.values.indexOf(Math.max(...why.values));
  const worst = why.values.indexOf(Math.min(...why.values));
  return `Heat map over the face: the ${place(best)} speaks most for ${name}, the ${place(worst)} most against.`;
}
