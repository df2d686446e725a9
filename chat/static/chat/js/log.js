// The log: messages as elements, in order, grouped by author and day, and the place where one reads.

import { bodyNodes } from "./body.js";
import { byId, copyOf, element, paint, paintAvatar } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { picture } from "./picture.js";
import { dayText, fullText, sameDay, timeText } from "./times.js";

const GROUP_MS = 5 * 60_000;
// Pixels from the end that still count as being there.
const NEAR = 80;
// How long a screen reader is kept from reading out many messages that came at once.
const QUIET_MS = 600;

export class Log {
  #log = byId("log");
  #list = byId("messages");
  #newer = byId("newer");
  #me;
  #items = new Map();
  #pending = new Map();
  #messages = new WeakMap();
  #failedPictures = new Set();
  #atEnd = true;
  #unseen = 0;
  #onEnd;

  /** `me` is our own key; `onEnd()` is called when the end of the log comes into sight. */
  constructor(me, { onEnd }) {
    this.#me = me;
    this.#onEnd = onEnd;
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#newer.addEventListener("click", () => this.toEnd());
    const observer = new ResizeObserver(() => this.#atEnd && this.toEnd());
    observer.observe(this.#log);
    observer.observe(this.#log.firstElementChild);
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** Show stored messages; `quiet` where many come at once. Those that we had shown as pending stay where they are. */
  show(messages, { quiet = false } = {}) {
    if (messages.length === 0) {
      return;
    }
    if (quiet) {
      this.#hush();
    }
    const place = this.#atEnd ? null : this.#place();
    for (const message of messages) {
      this.#put(message);
    }
    if (place) {
      this.#log.scrollTop += place.item.offsetTop - place.top;
      this.#countUnseen(messages, place.item);
    } else {
      this.toEnd();
    }
    byId("log-empty").hidden = true;
  }

  /** Show a message of ours that the server has not confirmed. */
  showPending(id, body) {
    const message = { id, author: this.#me, body, at: new Date().toISOString(), image: null, removed: false };
    const item = this.#pending.get(id) ?? copyOf("message");
    this.#pending.set(id, item);
    this.#fill(item, message);
    item.classList.add("message-pending");
    item.classList.remove("message-failed");
    this.#note(item, gettext("Sending…"));
    if (!item.isConnected) {
      this.#list.append(item);
    }
    this.#group(item);
    this.toEnd();
    byId("log-empty").hidden = true;
  }

  /** Say why a message of ours was not stored, and offer what can be done. */
  fail(id, text, { retry, discard }) {
    const item = this.#pending.get(id);
    item.classList.replace("message-pending", "message-failed");
    const button = (label, action) => {
      const made = element("button", { type: "button", className: "link-button", textContent: label });
      made.addEventListener("click", action);
      return made;
    };
    this.#note(
      item,
      fill(gettext("Not sent: %(reason)s"), { reason: text }),
      button(gettext("Try again"), retry),
      button(gettext("Discard"), discard),
    );
  }

  /** Say something under a message of ours that is still on its way. */
  notePending(id, text) {
    this.#note(this.#pending.get(id), text);
  }

  discard(id) {
    const item = this.#pending.get(id);
    const next = item.nextElementSibling;
    this.#pending.delete(id);
    item.remove();
    if (next) {
      this.#group(next);
    }
  }

  /** Show a message anew after it changed: its thumbnail came, or it was removed. */
  refresh(message) {
    const item = this.#items.get(message.seq);
    if (item) {
      this.#fill(item, message);
      this.#group(item);
      if (item.nextElementSibling) {
        this.#group(item.nextElementSibling);
      }
    }
  }

  /** Say that there will be no thumbnail for message `seq`. */
  failPicture(seq) {
    this.#failedPictures.add(seq);
    const item = this.#items.get(seq);
    if (item) {
      this.refresh(this.#messages.get(item));
    }
  }

  /** Forget all stored messages. What is pending stays. */
  clear() {
    for (const item of this.#items.values()) {
      item.remove();
    }
    this.#items.clear();
    this.#atEnd = true;
  }

  /** Say what stands above the first message: more of them, or the beginning. */
  setMore(more) {
    byId("earlier").hidden = !more;
    byId("log-start").hidden = more || this.#items.size === 0;
    byId("log-empty").hidden = more || this.#items.size + this.#pending.size > 0;
    this.#log.setAttribute("aria-busy", "false");
  }

  toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#arrived();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.#atEnd) {
      this.#arrived();
    }
  }

  #arrived() {
    this.#atEnd = true;
    this.#unseen = 0;
    this.#newer.hidden = true;
    this.#onEnd();
  }

  #countUnseen(messages, from) {
    const below = messages.filter(({ seq, author }) => {
      const after = from.compareDocumentPosition(this.#items.get(seq)) & Node.DOCUMENT_POSITION_FOLLOWING;
      return after && author.key !== this.#me.key;
    });
    this.#unseen += below.length;
    this.#newer.hidden = this.#unseen === 0;
    const text = ngettext("%(count)s new message", "%(count)s new messages", this.#unseen);
    this.#newer.textContent = `${fill(text, { count: this.#unseen })} ↓`;
  }

  /** Return the first message in sight, and where it is: what must not move when others come in above. */
  #place() {
    const top = this.#log.scrollTop;
    const item = [...this.#list.children].find((child) => child.offsetTop + child.offsetHeight > top);
    return item ? { item, top: item.offsetTop } : null;
  }

  #hush() {
    this.#log.setAttribute("aria-live", "off");
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  #put(message) {
    const own = message.author.key === this.#me.key;
    const item = (own && this.#pending.get(message.id)) || copyOf("message");
    this.#pending.delete(message.id);
    item.classList.remove("message-pending", "message-failed");
    this.#note(item);
    this.#fill(item, message);
    const next = this.#following(message.seq, item);
    this.#items.set(message.seq, item);
    if (!item.isConnected || item.nextElementSibling !== next) {
      this.#list.insertBefore(item, next);
    }
    this.#group(item);
    if (next) {
      this.#group(next);
    }
  }

  /** Return the element before which message `seq` belongs. */
  #following(seq, item) {
    let next = null;
    // From the end: nearly always there is nothing behind it but what is pending.
    for (let child = this.#list.lastElementChild; child; child = child.previousElementSibling) {
      const other = this.#messages.get(child);
      if (child !== item && other.seq !== undefined && other.seq < seq) {
        break;
      }
      next = child === item ? next : child;
    }
    return next;
  }

  #fill(item, message) {
    this.#messages.set(item, message);
    const { author, at, removed } = message;
    const date = new Date(at);
    item.dataset.seq = message.seq ?? "";
    item.classList.toggle("message-own", author.key === this.#me.key);
    item.classList.toggle("message-removed", removed);
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
    bubble.title = fullText(date);
    bubble.classList.toggle("bubble-picture", Boolean(message.image));
    bubble.replaceChildren(...this.#content(message));
  }

  #content({ seq, author, body, image, removed }) {
    if (removed) {
      return [element("p", { textContent: gettext("This message was removed.") })];
    }
    const parts = body ? [element("p", { className: "bubble-text", dir: "auto" }, ...bodyNodes(body))] : [];
    if (image) {
      parts.push(picture(image, author.name, { failed: this.#failedPictures.has(seq) }));
    }
    return parts;
  }

  #note(item, ...content) {
    const note = item.querySelector(".message-note");
    note.replaceChildren(...content);
    note.hidden = content.length === 0;
  }

  /** Show or hide what a message shares with the one before it: its day, its author and its time. */
  #group(item) {
    const message = this.#messages.get(item);
    const before = item.previousElementSibling && this.#messages.get(item.previousElementSibling);
    const date = new Date(message.at);
    const newDay = !before || !sameDay(new Date(before.at), date);
    const day = item.querySelector(".day");
    day.hidden = !newDay;
    day.textContent = newDay ? dayText(date) : "";
    const together = !newDay && before.author.key === message.author.key && date - new Date(before.at) < GROUP_MS;
    item.classList.toggle("message-continued", together);
  }
}
