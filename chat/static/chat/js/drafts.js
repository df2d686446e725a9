// What one has begun to write, by room: kept in this browser until it is sent, and marked in the list of rooms.

import { identity, slug as open } from "./config.js";
import { forget, keysOf, load, save } from "./storage.js";

const PREFIX = `chat:draft:${identity?.key}:`;

export function draftOf(slug) {
  return load("localStorage", PREFIX + slug) ?? "";
}

export function keepDraft(slug, text) {
  if (text.trim()) {
    save("localStorage", PREFIX + slug, text);
  } else {
    forget("localStorage", PREFIX + slug);
  }
}

/** Mark the rooms with a draft, now and when another tab writes one, and forget all of them on signing out. */
export function prepareDrafts() {
  mark();
  addEventListener("storage", ({ key }) => (key === null || key.startsWith(PREFIX)) && mark());
  // Rooms come and go while the page is open.
  new MutationObserver(mark).observe(document.getElementById("rooms"), { childList: true });
  document.querySelector("form[data-sign-out]")?.addEventListener("submit", () => {
    keysOf("localStorage", PREFIX).forEach((key) => forget("localStorage", key));
  });
}

function mark() {
  const drafts = new Set(keysOf("localStorage", PREFIX).map((key) => key.slice(PREFIX.length)));
  for (const link of document.querySelectorAll("#rooms a[href]")) {
    const slug = decodeURIComponent(link.pathname.split("/").at(-2));
    const sign = link.querySelector("[data-draft]");
    if (sign) {
      // The draft of the open room is in the box.
      sign.hidden = slug === open || !drafts.has(slug);
    }
  }
}
