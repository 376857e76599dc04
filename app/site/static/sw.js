// Keeps this page for visits without a network. The list of its files is written in when it is published.
const FILES = [/* files: [address, integrity] */];
const NAME = `celebml:${self.registration.scope}`; // the worker that computes keeps its files in the same place

async function fetched() {
  const cache = await caches.open(NAME);
  const wanted = [];
  for (const [address, integrity] of FILES) {
    if (!integrity) wanted.push(new Request(address, { cache: "no-cache" })); // the page itself, whose name stays
    else if (!(await cache.match(address))) wanted.push(new Request(address, { integrity }));
  }
  await cache.addAll(wanted);
}

// Files of an earlier publication go.
async function tidied() {
  const cache = await caches.open(NAME);
  const mine = new Set(FILES.map(([address]) => new URL(address, self.registration.scope).href));
  for (const request of await cache.keys()) if (!mine.has(request.url)) await cache.delete(request);
  await self.clients.claim();
}

async function answer(request) {
  const cache = await caches.open(NAME);
  return (await cache.match(request.mode === "navigate" ? "./" : request)) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(fetched().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(tidied()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(self.registration.scope)) event.respondWith(answer(request));
});
