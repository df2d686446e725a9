// Keeps the static files of one version of the page, and a page for when the server cannot be reached. Nothing else:
// no message, no page of a room, no picture. What it does not answer goes its way as if it were not there: sockets,
// uploads, requests of scripts.

const { version, files, offline, static: prefix } = {{ settings|safe }};
const NAME = `chat-${version}`;
const known = new Set(files);

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOthers().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) {
    return;
  }
  if (known.has(pathname)) {
    event.respondWith(kept(pathname).then((response) => response ?? fetch(request)));
  } else if (request.mode === "navigate" && !pathname.startsWith(prefix)) {
    event.respondWith(fetch(request).catch(() => offlinePage()));
  }
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data.url));
});

async function fill() {
  const cache = await caches.open(NAME);
  await cache.addAll([...files, ...Object.values(offline)]);
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("chat-") && name !== NAME).map((name) => caches.delete(name)));
}

async function kept(path) {
  return (await caches.open(NAME)).match(path);
}

/** Return the page in the language that was chosen, or in the browser's. */
async function offlinePage() {
  const chosen = await self.cookieStore?.get("django_language");
  const language = chosen?.value ?? (navigator.language.startsWith("zh") ? "zh-hans" : "en");
  return (await kept(offline[language] ?? offline.en)) ?? Response.error();
}

/** Bring the page at `url` to the front, or open it. */
async function show(url) {
  const open = await self.clients.matchAll({ type: "window" });
  const page = open.find((client) => client.url === new URL(url, location.origin).href);
  return page ? page.focus() : self.clients.openWindow(url);
}
