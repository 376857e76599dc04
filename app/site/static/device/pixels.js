// Pictures and how they are made smaller or turned: what OpenCV does in Python, in a page.

/** @typedef {{ data: Uint8ClampedArray, width: number, height: number }} Picture  red, green, blue, 255 for each pixel */
/** @typedef {{ first: Int32Array, weights: Float32Array, length: number }} Taps  from where, and with which weights, each new pixel comes */
/** @typedef {[number, number, number, number, number, number]} Similarity  a b c / d e f: where (x, y) goes */

/** Round half to even, as Python and OpenCV do. @param {number} value */
export function round(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/** @param {number} width @param {number} height @returns {Picture} */
export function picture(width, height) {
  return { data: new Uint8ClampedArray(4 * width * height).fill(255), width, height };
}

/**
 * Taps out of weight lists, one a new pixel; each list starts at some old pixel.
 * @param {{ first: number, weights: number[] }[]} rows @returns {Taps}
 */
function taps(rows) {
  const length = Math.max(...rows.map((row) => row.weights.length));
  const first = Int32Array.from(rows, (row) => row.first);
  const weights = new Float32Array(rows.length * length);
  rows.forEach((row, i) => weights.set(row.weights, i * length));
  return { first, weights, length };
}

/** Means over what a new pixel covers. @param {number} from @param {number} to */
function areaRows(from, to) {
  const step = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [low, high] = [i * step, (i + 1) * step];
    const first = Math.floor(low + 1e-9);
    const weights = [];
    for (let j = first; j < Math.min(high - 1e-9, from); j += 1) weights.push((Math.min(high, j + 1) - Math.max(low, j)) / step);
    return { first, weights };
  });
}

/** Weighted means. @param {Picture} source @param {Taps} across @param {Taps} down @returns {Picture} */
function averaged(source, across, down) {
  const [width, height, line] = [across.first.length, down.first.length, 3 * across.first.length];
  const rows = new Map(); // old lines, made narrower when they are first asked for
  const narrow = (y) => {
    const row = new Float32Array(line);
    const { data } = source;
    const start = 4 * y * source.width;
    for (let x = 0, to = 0; x < width; x += 1, to += 3) {
      let [red, green, blue] = [0, 0, 0];
      for (let k = 0, at = start + 4 * across.first[x], w = x * across.length; k < across.length; k += 1, at += 4, w += 1) {
        const weight = across.weights[w];
        if (weight === 0) continue; // may lie beyond the edge
        red += weight * data[at];
        green += weight * data[at + 1];
        blue += weight * data[at + 2];
      }
      row[to] = red;
      row[to + 1] = green;
      row[to + 2] = blue;
    }
    return row;
  };
  const out = picture(width, height);
  const sum = new Float32Array(line);
  for (let y = 0; y < height; y += 1) {
    sum.fill(0);
    for (let k = 0; k < down.length; k += 1) {
      const weight = down.weights[y * down.length + k];
      if (weight === 0) continue;
      const from = down.first[y] + k;
      if (!rows.has(from)) rows.set(from, narrow(from));
      const row = rows.get(from);
      for (let i = 0; i < line; i += 1) sum[i] += weight * row[i];
    }
    for (const old of rows.keys()) if (old < down.first[y]) rows.delete(old);
    for (let i = 0, to = 4 * y * width; i < line; i += 3, to += 4) {
      out.data[to] = sum[i];
      out.data[to + 1] = sum[i + 1];
      out.data[to + 2] = sum[i + 2];
    }
  }
  return out;
}

/** The two old pixels between which each new one lies, and their weights, of 2048 together. @param {number} from @param {number} to */
function neighbours(from, to) {
  const [low, high, near, far] = [0, 1, 2, 3].map(() => new Int32Array(to));
  for (let i = 0; i < to; i += 1) {
    const place = Math.fround((i + 0.5) * (1 / (to / from)) - 0.5);
    let first = Math.floor(place);
    let share = Math.fround(place - first);
    if (first < 0) [first, share] = [0, 0];
    if (first >= from - 1) [first, share] = [from - 1, 0];
    [low[i], high[i]] = [first, Math.min(first + 1, from - 1)];
    [near[i], far[i]] = [round(Math.fround(1 - share) * 2048), round(share * 2048)];
  }
  return { low, high, near, far };
}

/** To any size, between neighbours, in whole numbers as OpenCV does it. @param {Picture} source @param {number} width @param {number} height */
export function resized(source, width, height) {
  if (width === source.width && height === source.height) return source;
  const [across, down] = [neighbours(source.width, width), neighbours(source.height, height)];
  const { data } = source;
  const rows = [new Int32Array(3 * width), new Int32Array(3 * width)];
  const held = [-1, -1]; // which old line each of them is
  const wide = (y) => {
    const slot = y & 1;
    if (held[slot] === y) return rows[slot];
    const row = rows[slot];
    const start = 4 * y * source.width;
    for (let x = 0, to = 0; x < width; x += 1, to += 3) {
      const [a, b] = [start + 4 * across.low[x], start + 4 * across.high[x]];
      const [p, q] = [across.near[x], across.far[x]];
      row[to] = (data[a] * p + data[b] * q) >> 4;
      row[to + 1] = (data[a + 1] * p + data[b + 1] * q) >> 4;
      row[to + 2] = (data[a + 2] * p + data[b + 2] * q) >> 4;
    }
    held[slot] = y;
    return row;
  };
  const out = picture(width, height);
  for (let y = 0, at = 0; y < height; y += 1) {
    const [above, below, p, q] = [wide(down.low[y]), wide(down.high[y]), down.near[y], down.far[y]];
    for (let i = 0; i < above.length; i += 3, at += 4) {
      out.data[at] = (((above[i] * p) >> 16) + ((below[i] * q) >> 16) + 2) >> 2;
      out.data[at + 1] = (((above[i + 1] * p) >> 16) + ((below[i + 1] * q) >> 16) + 2) >> 2;
      out.data[at + 2] = (((above[i + 2] * p) >> 16) + ((below[i + 2] * q) >> 16) + 2) >> 2;
    }
  }
  return out;
}

/** Means of squares of four pixels. @param {Picture} source of even sides */
function halved(source) {
  const out = picture(source.width / 2, source.height / 2);
  const { data } = source;
  const line = 4 * source.width;
  for (let y = 0, to = 0; y < out.height; y += 1) {
    for (let x = 0, at = 2 * y * line; x < out.width; x += 1, at += 8, to += 4) {
      for (let k = at; k < at + 3; k += 1) out.data[to + k - at] = (data[k] + data[k + 4] + data[k + line] + data[k + line + 4] + 2) >> 2;
    }
  }
  return out;
}

/** To a smaller size, as `_shrunk` in celebml.landmarks. @param {Picture} source @param {number} width @param {number} height */
export function shrunk(source, width, height) {
  if (source.width > 4 * width) return averaged(source, taps(areaRows(source.width, width)), taps(areaRows(source.height, height)));
  return halved(resized(source, 2 * width, 2 * height));
}

/** With the pixels at its edge repeated outwards. @param {Picture} source @param {number} edge */
export function bordered(source, edge) {
  const out = picture(source.width + 2 * edge, source.height + 2 * edge);
  const [from, to] = [new Uint32Array(source.data.buffer, source.data.byteOffset), new Uint32Array(out.data.buffer)];
  for (let y = 0, i = 0; y < out.height; y += 1) {
    const line = source.width * Math.min(Math.max(y - edge, 0), source.height - 1);
    for (let x = 0; x < out.width; x += 1, i += 1) to[i] = from[line + Math.min(Math.max(x - edge, 0), source.width - 1)];
  }
  return out;
}

/** Left and right exchanged. @param {Picture} source */
export function mirrored(source) {
  const out = picture(source.width, source.height);
  const [from, to] = [new Uint32Array(source.data.buffer, source.data.byteOffset), new Uint32Array(out.data.buffer)];
  for (let y = 0; y < out.height; y += 1) {
    const line = y * out.width;
    for (let x = 0; x < out.width; x += 1) to[line + x] = from[line + out.width - 1 - x];
  }
  return out;
}

/** @param {Picture} source @param {number} left @param {number} top @param {number} width @param {number} height */
function region(source, left, top, width, height) {
  const out = picture(width, height);
  for (let y = 0; y < height; y += 1) {
    const start = 4 * ((top + y) * source.width + left);
    out.data.set(source.data.subarray(start, start + 4 * width), 4 * y * width);
  }
  return out;
}

/** The way back. @param {Similarity} fit @returns {Similarity} */
export function inverse([a, b, c, d, e, f]) {
  const size = a * e - b * d;
  return [e / size, -b / size, (b * f - c * e) / size, -d / size, a / size, (c * d - a * f) / size];
}

/** Square of `size` pixels that a similarity cuts out; averaged first where it shrinks by over two. @param {Picture} source @param {Similarity} fit @param {number} size */
export function warped(source, fit, size) {
  const scale = Math.hypot(fit[0], fit[3]);
  if (scale < 0.5) {
    const back = inverse(fit);
    const corners = [[0, 0], [0, size], [size, 0], [size, size]].map(([x, y]) => [back[0] * x + back[1] * y + back[2], back[3] * x + back[4] * y + back[5]]);
    const sides = [source.width, source.height];
    const low = [0, 1].map((k) => Math.min(Math.max(Math.floor(Math.min(...corners.map((corner) => corner[k]))), 0), sides[k] - 1));
    const high = [0, 1].map((k) => Math.min(Math.max(Math.ceil(Math.max(...corners.map((corner) => corner[k]))), low[k] + 1), sides[k]));
    const small = [0, 1].map((k) => Math.max(Math.ceil((high[k] - low[k]) * scale * 2), 1));
    const ratio = [0, 1].map((k) => (high[k] - low[k]) / small[k]);
    const middle = [0, 1].map((k) => (ratio[k] - 1) / 2 + low[k]); // pixels have their centres at whole numbers
    source = shrunk(region(source, low[0], low[1], high[0] - low[0], high[1] - low[1]), small[0], small[1]);
    fit = [
      fit[0] * ratio[0], fit[1] * ratio[1], fit[0] * middle[0] + fit[1] * middle[1] + fit[2],
      fit[3] * ratio[0], fit[4] * ratio[1], fit[3] * middle[0] + fit[4] * middle[1] + fit[5],
    ];
  }
  return cut(source, inverse(fit), size);
}

/** Between four neighbours, at places rounded to a 32nd of a pixel and in whole numbers, as OpenCV does it. @param {Picture} source @param {Similarity} back @param {number} size */
function cut(source, [a, b, c, d, e, f], size) {
  const out = picture(size, size);
  const { data, width, height } = source;
  const [right, bottom] = [width - 1, height - 1];
  const steps = Array.from({ length: size }, (_, x) => [round(a * x * 1024), round(d * x * 1024)]);
  for (let y = 0, to = 0; y < size; y += 1) {
    const [left, top] = [round((b * y + c) * 1024) + 16, round((e * y + f) * 1024) + 16];
    for (let x = 0; x < size; x += 1, to += 4) {
      const [across, down] = [(left + steps[x][0]) >> 5, (top + steps[x][1]) >> 5];
      const [u, v] = [across & 31, down & 31];
      const [x0, x1] = [Math.min(Math.max(across >> 5, 0), right), Math.min(Math.max((across >> 5) + 1, 0), right)];
      const [y0, y1] = [Math.min(Math.max(down >> 5, 0), bottom) * width, Math.min(Math.max((down >> 5) + 1, 0), bottom) * width];
      const [i, j, k, l] = [4 * (y0 + x0), 4 * (y0 + x1), 4 * (y1 + x0), 4 * (y1 + x1)];
      for (let channel = 0; channel < 3; channel += 1) {
        const above = data[i + channel] * (32 - u) + data[j + channel] * u;
        const below = data[k + channel] * (32 - u) + data[l + channel] * u;
        out.data[to + channel] = (above * (32 - v) + below * v + 512) >> 10;
      }
    }
  }
  return out;
}
