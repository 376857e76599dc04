// "Try it" in the docs: sends a photograph as its own body, and shows the answer as it comes.
import { $ } from "./dom.js";

$("try").hidden = false;
$("try").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = $("try-file").files;
  const said = $("try-answer");
  said.hidden = false;
  said.textContent = "Looking…";
  try {
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    const answer = await fetch("/api/v1/classify", { method: "POST", headers, body: file });
    said.textContent = `${answer.status} ${answer.statusText}\n${JSON.stringify(await answer.json(), null, 2)}`;
  } catch (error) {
    said.textContent = `The server cannot be reached (${error.message}).`;
  }
});
