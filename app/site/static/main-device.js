// The page without a server: everything is computed here, on the visitor's own device.
import { $ } from "./dom.js";
import { device } from "./engines/device.js";
import { start } from "./page.js";

const engine = device(new URL(document.querySelector("meta[name=celebml-model]").content, document.baseURI).href);
const bar = $("loading");
engine.onprogress = (share) => {
  bar.value = share;
  bar.parentElement.hidden = share >= 1;
};
start(engine);

// The next visit, and one without a network, are served by this browser.
engine.ready().then(
  () => navigator.serviceWorker?.register(new URL("sw.js", document.baseURI)).catch(() => undefined), // not on http, nor in a private window
  () => (bar.parentElement.hidden = true),
);
