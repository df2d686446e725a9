// One message as an element: who, when, what, and how far it is on its way.

import { bodyNodes } from "./body.js";
import { identity } from "./config.js";
import { element, paint, paintAvatar, partsOf } from "./dom.js";
import { gettext } from "./i18n.js";
import { know, nameOf } from "./names.js";
import { picture } from "./picture.js";
import { dayText, fullText, sameDay, timeText } from "./times.js";

// Messages of one author within this time stand together.
const GROUP_MS = 5 * 60_000;

const STATES = {
  sending: { icon: "clock", words: gettext("Sending…") },
  failed: { icon: "warning", words: gettext("Not sent") },
  stored: { icon: "check", words: gettext("Sent") },
};

/** Write `message` into `item`, a copy of the message template. `own`: it is ours; `failed`: it gets no thumbnail. */
export function fillMessage(item, message, { own, failed }) {
  const { author, at, removed } = message;
  const date = new Date(at);
  know(author);
  item.dataset.seq = message.seq ?? "";
  item.classList.toggle("message-own", own);
  item.classList.toggle("message-removed", removed);
  item.classList.toggle("message-mentions-me", Boolean(message.mentions?.includes(identity?.key)));
  paintAvatar(item.querySelector(".avatar"), author);
  const name = item.querySelector(".author");
  name.textContent = author.name;
  paint(name, author.key);
  item.querySelector(".guest-tag").hidden = !author.guest;
  const time = item.querySelector("time");
  time.dateTime = at;
  time.textContent = timeText(date);
  time.title = fullText(date);
  const bubble = item.querySelector(".bubble");
  bubble.title = time.title;
  bubble.classList.toggle("bubble-picture", Boolean(message.image));
  bubble.replaceChildren(...content(message, failed));
}

function content({ author, body, image, removed, edited, mentions = [] }, failed) {
  if (removed) {
    return [element("p", { textContent: gettext("This message was removed.") })];
  }
  const names = mentions.map((key) => ({ name: nameOf(key), own: key === identity?.key })).filter(({ name }) => name);
  const parts = body ? [element("p", { className: "bubble-text", dir: "auto" }, ...bodyNodes(body, names))] : [];
  if (image) {
    parts.push(picture(image, author.name, { failed }));
  }
  if (edited) {
    parts.push(element("span", { className: "edited", textContent: gettext("edited"), title: fullText(new Date(edited)) }));
  }
  return parts;
}

/** Show how far a message of ours is: sending, failed, stored; `note` stands below it, as text or elements. */
export function showState(item, state, ...note) {
  item.classList.toggle("message-pending", state === "sending");
  item.classList.toggle("message-failed", state === "failed");
  const { icon, words } = STATES[state];
  const sign = item.querySelector(".message-state");
  sign.dataset.state = state;
  sign.title = words;
  sign.replaceChildren(partsOf(icon), element("span", { className: "visually-hidden", textContent: words }));
  const place = item.querySelector(".message-note");
  place.replaceChildren(...note);
  place.hidden = note.length === 0;
}

/** Show or hide what `message` shares with the one `before` it (or none): its day, its author and its time. */
export function groupMessage(item, message, before) {
  const date = new Date(message.at);
  const newDay = !before || !sameDay(new Date(before.at), date);
  const day = item.querySelector(".day");
  day.hidden = !newDay;
  day.textContent = newDay ? dayText(date) : "";
  const together = !newDay && before.author.key === message.author.key && date - new Date(before.at) < GROUP_MS;
  item.classList.toggle("message-continued", together);
}
