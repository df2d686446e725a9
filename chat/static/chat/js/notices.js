// Announcements at the top of the room, and errors next to the message box.

import { byId, copyOf, element, partsOf } from "./dom.js";
import { gettext } from "./i18n.js";

const MOST_ANNOUNCEMENTS = 3;

function notice(text, ...before) {
  const made = copyOf("notice");
  made.prepend(...before);
  made.querySelector("p").textContent = text;
  made.querySelector("button").addEventListener("click", () => made.remove());
  return made;
}

/** Show what the people who run the place have to say, until it is dismissed. */
export function announce(text, roomName) {
  const made = notice(text, partsOf("megaphone"));
  made.classList.add("announcement");
  made.querySelector("p").prepend(element("strong", { textContent: roomName ?? gettext("Announcement") }), " · ");
  const list = byId("announcements");
  list.prepend(made);
  while (list.children.length > MOST_ANNOUNCEMENTS) {
    list.lastElementChild.remove();
  }
}

/** Show an error until it is dismissed, or until something of the same `kind` is shown or cleared. */
export function showError(text, { kind = "other", reload = false } = {}) {
  clearError(kind);
  const made = notice(text);
  made.classList.add("notice-error");
  made.dataset.kind = kind;
  if (reload) {
    const button = element("button", { type: "button", className: "link-button", textContent: gettext("Reload") });
    button.addEventListener("click", () => location.reload());
    made.querySelector("p").append(" ", button);
  }
  (byId("errors") ?? byId("announcements")).append(made);
}

export function clearError(kind) {
  for (const made of document.querySelectorAll(`.notice-error[data-kind="${kind}"]`)) {
    made.remove();
  }
}
