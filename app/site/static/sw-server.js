// Shows the site's page when the network is away, so that it can say so, and take photographs for when it is back.
const NAME = "celebml-site";

async function freshest(request) {
  const cache = await caches.open(NAME);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request.mode === "navigate" ? "/" : request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request.mode === "navigate" ? "/" : request);
    if (kept) return kept;
    throw error;
  }
}

const ours = (url) => url.origin === self.location.origin && (url.pathname === "/" || url.pathname.startsWith("/static/") || url.pathname === "/api/v1/people" || url.pathname === "/api/v1/model");

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && ours(new URL(event.request.url))) event.respondWith(freshest(event.request));
});
