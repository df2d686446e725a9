// Earlier messages: they come by themselves as one scrolls up, and by a button for who does not scroll.

import { byId } from "./dom.js";

// How far above the edge the button may be when we begin to load.
const AHEAD = "1000px 0px 0px 0px";

/** Call `load()` when the beginning of the log comes near; false as its promise's result means that it failed. */
export function prepareEarlier(load) {
  const button = byId("earlier");
  const log = byId("log");
  let loading = false;
  const observer = new IntersectionObserver(
    (entries) => entries.at(-1).isIntersecting && run(),
    { root: log, rootMargin: AHEAD },
  );
  const run = async () => {
    if (loading || button.hidden) {
      return;
    }
    loading = true;
    const focused = document.activeElement === button;
    button.setAttribute("aria-disabled", "true");
    const loaded = await load();
    button.setAttribute("aria-disabled", "false");
    loading = false;
    if (focused && button.hidden) {
      log.focus({ preventScroll: true });
    }
    // Observed anew it reports at once where it still is. After a failure it waits for the button, or for a scroll.
    if (loaded !== false) {
      observer.unobserve(button);
      observer.observe(button);
    }
  };
  button.addEventListener("click", run);
  observer.observe(button);
}
