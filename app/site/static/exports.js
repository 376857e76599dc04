// Answers as a table, as JSON and as lines of text.
import { sentence } from "./words.js";

const COLUMNS = ["file", "face", "name", "display_name", "known", "probability", "x", "y", "width", "height", "problem"];

function rows(results, call) {
  return results.flatMap(({ item, answer, failed }) => {
    if (!answer?.faces.length) return [{ file: item.name, problem: failed ? failed.words : answer ? "no face" : "not looked at yet" }];
    return answer.faces.map((face, i) => ({ file: item.name, face: i + 1, name: face.name, display_name: call(face.name), known: face.known ?? "", probability: face.probability, ...face.box }));
  });
}

// A spreadsheet takes a text that begins so for a formula.
function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function asCSV(results, call) {
  const lines = rows(results, call).map((row) => COLUMNS.map((column) => cell(row[column])).join(","));
  return `\uFEFF${[COLUMNS.join(","), ...lines].join("\r\n")}\r\n`;
}

export function asJSON(results, call) {
  const photos = results.map(({ item, answer, failed }) => ({
    file: item.name,
    faces: (answer?.faces ?? []).map(({ box, name, known, probability, probabilities }) => ({ box, name, display_name: call(name), known, probability, probabilities })),
    ...(failed && { problem: failed.words }),
  }));
  return `${JSON.stringify({ photos }, null, 2)}\n`;
}

export function asText(results, call) {
  return results.map(({ item, answer, failed }) => {
    const said = failed ? failed.words : answer?.faces.length ? answer.faces.map((face) => sentence(face, call)).join("; ") : "no face";
    return `${item.name}: ${said}`;
  }).join("\n");
}
