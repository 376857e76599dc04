// The two networks, run by onnxruntime-web: its WebAssembly and the models are fetched once, checked, and unpacked here.
import { Failure } from "../failure.js";
import * as ort from "./ort.mjs";

/** @typedef {{ address: string, bytes: number, integrity: string }} Part  a gzipped file */
/** @typedef {{ runtime: Part, detector: Part, faces: Part }} Parts */

/** What is missing in this browser, in words; nothing if all is there. */
export function missing() {
  const simd = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
  if (typeof WebAssembly !== "object") return "WebAssembly is switched off or missing";
  if (!WebAssembly.validate(simd)) return "it has no vector instructions in WebAssembly (SIMD)";
  if (typeof OffscreenCanvas !== "function") return "it cannot draw in the background (OffscreenCanvas)";
  if (typeof DecompressionStream !== "function") return "it cannot unpack files (DecompressionStream)";
  return "";
}

/** Whether bytes are those that were published; only pages that were loaded safely can tell, and only there it matters. */
async function check(bytes, { address, integrity }) {
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
  if (`sha384-${btoa(String.fromCharCode(...digest))}` !== integrity)
    throw new Failure("A part of this page is not the file that was published.", `Reload the page; if that does not help, tell its owner (${address.split("/").pop()}).`);
}

/** @param {Part} part @param {Cache | null} cache @param {(bytes: number) => void} arrived */
async function fetched(part, cache, arrived) {
  const kept = await cache?.match(part.address);
  if (kept) {
    arrived(part.bytes);
    return new Uint8Array(await kept.arrayBuffer());
  }
  let response;
  const bytes = new Uint8Array(part.bytes);
  let at = 0;
  try {
    response = await fetch(part.address);
    if (!response.ok) throw new TypeError(`status ${response.status}`);
    const reader = response.body.getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      if (at + step.value.length > bytes.length) throw new TypeError("too long");
      bytes.set(step.value, at);
      at += step.value.length;
      arrived(step.value.length);
    }
  } catch (error) {
    throw new Failure("A part of this page could not be loaded.", `Check your connection and try again (${error.message}).`);
  }
  await check(bytes, part);
  await cache?.put(part.address, new Response(bytes, { headers: { "Content-Type": "application/octet-stream" } })).catch(() => undefined); // storage may be full: then it is fetched again next time
  return bytes;
}

async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/**
 * Both networks, ready to run. Throws a Failure.
 * @param {Parts} parts @param {string} cacheName where files are kept for the next visit @param {(share: number) => void} progress
 */
export async function load(parts, cacheName, progress) {
  const lack = missing();
  if (lack) throw new Failure(`This browser cannot look for faces by itself: ${lack}.`, "Use a current Chrome, Edge, Firefox or Safari.", { again: false });
  const cache = (await globalThis.caches?.open(cacheName).catch(() => null)) ?? null;
  const total = Object.values(parts).reduce((sum, part) => sum + part.bytes, 0);
  let here = 0;
  const arrived = (bytes) => progress((here += bytes) / total);
  const all = [parts.runtime, parts.detector, parts.faces].map(async (part) => unpacked(await fetched(part, cache, arrived)));
  const [runtime, detector, faces] = await Promise.all(all);
  const glue = new URL("./ort-wasm.mjs", import.meta.url).href;
  Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: runtime, wasmPaths: { mjs: glue } });
  ort.env.logLevel = "error";
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 3 }; // sizes that the detector remembers for its inner layers are not right, nor used
  const [first, second] = [await ort.InferenceSession.create(new Uint8Array(detector), options), await ort.InferenceSession.create(new Uint8Array(faces), options)];
  return { network: networkOf(first), judge: judgeOf(second) };
}

/** @returns {import("./yunet.js").Network} */
function networkOf(session) {
  return async (planes, width, height) => {
    const found = await session.run({ input: new ort.Tensor("float32", planes, [1, 3, height, width]) });
    return session.outputNames.map((name) => found[name].data);
  };
}

/** @typedef {{ scores: Float32Array, probabilities: Float32Array, known: boolean | null, regions: Float32Array, intercept: Float32Array }} Judgement */

function judgeOf(session) {
  /** @param {import("./pixels.js").Picture} crop @returns {Promise<Judgement>} */
  return async (crop) => {
    const bytes = new Uint8Array(3 * crop.width * crop.height);
    for (let from = 0, to = 0; to < bytes.length; from += 4, to += 3) {
      bytes[to] = crop.data[from];
      bytes[to + 1] = crop.data[from + 1];
      bytes[to + 2] = crop.data[from + 2];
    }
    const found = await session.run({ crops: new ort.Tensor("uint8", bytes, [1, crop.height, crop.width, 3]) });
    const { scores, probabilities, regions, intercept, known } = found;
    return { scores: scores.data, probabilities: probabilities.data, regions: regions.data, intercept: intercept.data, known: known ? Boolean(known.data[0]) : null };
  };
}
