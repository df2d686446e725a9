// The service worker: see service_worker.js among the templates.

export function prepareWorker() {
  navigator.serviceWorker?.register("/sw.js").catch((error) => {
    // Private windows, or a page that came over plain HTTP: the page works without it.
    console.info("no offline page:", error.message);
  });
}
