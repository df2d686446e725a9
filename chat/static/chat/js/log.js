// The log: messages as elements, in order, and what stands between them. Nothing here takes longer the more there are.

import { Chunks, bisect } from "./chunks.js";
import { byId, copyOf, element } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { fillMessage, groupMessage, showState } from "./message.js";
import { Place } from "./place.js";
import { UnreadLine } from "./unread.js";

// How long a screen reader is kept from reading out many messages that came at once.
const QUIET_MS = 600;

export class Log {
  #log = byId("log");
  #chunks = new Chunks(byId("messages"), byId("log"));
  #sending = byId("sending");
  #me;
  #items = new Map();
  // The numbers of the messages in `#items`, sorted.
  #order = [];
  #pending = new Map();
  #messages = new WeakMap();
  #failedPictures = new Set();
  #unread = new UnreadLine();
  #place;
  #entered = false;

  /** `me` is ourselves; `onEnd()` is called when the end of the log comes into sight. */
  constructor(me, { onEnd }) {
    this.#me = me;
    this.#place = new Place({
      first: (top) => this.#chunks.firstBelow(top),
      onEnd,
      onWidth: () => this.#chunks.touchAll((change) => this.#place.keep(change)),
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#leave() : this.#goToUnread()));
  }

  get atEnd() {
    return this.#place.atEnd;
  }

  /** Say up to which number all has been read, before the first messages are shown. */
  enter(read) {
    this.#unread.set(read);
  }

  /** Show stored messages; `quiet` where many come at once. Those that we had shown as pending stay where they are. */
  show(messages, { quiet = false } = {}) {
    if (messages.length === 0) {
      return;
    }
    if (quiet) {
      this.#hush();
    }
    const last = this.#order.at(-1) ?? 0;
    this.#place.keep(() => {
      for (const message of messages) {
        this.#put(message);
      }
      this.#countUnseen(messages.filter(({ seq, author }) => seq > last && author.key !== this.#me.key));
      this.#drawUnread();
    });
    if (!this.#entered) {
      this.#entered = true;
      this.#goToUnread();
    }
    byId("log-empty").hidden = true;
  }

  /** Show a message of ours that the server has not confirmed. */
  showPending(id, body) {
    const message = { id, author: this.#me, body, at: new Date().toISOString(), image: null, removed: false };
    const item = this.#pending.get(id) ?? copyOf("message");
    this.#pending.set(id, item);
    this.#fill(item, message);
    showState(item, "sending");
    if (!item.isConnected) {
      this.#sending.append(item);
      // Who answers has read what there was.
      this.#unread.set(null);
    }
    this.#groupSending();
    this.#place.toEnd();
    byId("log-empty").hidden = true;
  }

  /** Say why a message of ours was not stored, and offer what can be done. */
  fail(id, text, { retry, discard }) {
    const button = (label, action) => {
      const made = element("button", { type: "button", className: "link-button", textContent: label });
      made.addEventListener("click", action);
      return made;
    };
    showState(
      this.#pending.get(id),
      "failed",
      fill(gettext("Not sent: %(reason)s"), { reason: text }),
      button(gettext("Try again"), retry),
      button(gettext("Discard"), discard),
    );
  }

  /** Say something under a message of ours that is still on its way. */
  notePending(id, text) {
    showState(this.#pending.get(id), "sending", text);
  }

  discard(id) {
    this.#pending.get(id).remove();
    this.#pending.delete(id);
    this.#groupSending();
  }

  /** Show a message anew after it changed: its thumbnail came, it was edited or removed. */
  refresh(message) {
    const item = this.#items.get(message.seq);
    if (item) {
      this.#place.keep(() => {
        this.#fill(item, message);
        this.#group(this.#indexAfter(message.seq) - 1);
        this.#chunks.touch(item);
      });
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

  /** Bring message `seq` into sight and point at it; return false where it is not on the page. */
  reveal(seq) {
    const item = this.#items.get(seq);
    if (item) {
      this.#place.show(item);
      item.classList.add("message-pointed");
      item.addEventListener("animationend", () => item.classList.remove("message-pointed"), { once: true });
    }
    return Boolean(item);
  }

  /** Forget all stored messages. What is pending stays. */
  clear() {
    this.#chunks.clear();
    this.#items.clear();
    this.#order = [];
    this.#place.toEnd();
  }

  /** Say what stands above the first message: more of them, or the beginning. */
  setMore(more) {
    this.#place.keep(() => {
      byId("earlier").hidden = !more;
      byId("log-start").hidden = more || this.#items.size === 0;
      byId("log-empty").hidden = more || this.#items.size + this.#pending.size > 0;
    });
    this.#log.setAttribute("aria-busy", "false");
  }

  toEnd() {
    this.#place.toEnd();
  }

  #hush() {
    this.#log.setAttribute("aria-live", "off");
    setTimeout(() => this.#log.setAttribute("aria-live", "polite"), QUIET_MS);
  }

  #put(message) {
    const own = message.author.key === this.#me.key;
    const item = (own && this.#pending.get(message.id)) || copyOf("message");
    this.#pending.delete(message.id);
    this.#fill(item, message);
    if (own) {
      showState(item, "stored");
    }
    const index = this.#indexAfter(message.seq);
    this.#chunks.put(item, this.#items.get(this.#order[index - 1]), this.#items.get(this.#order[index]));
    this.#order.splice(index, 0, message.seq);
    this.#items.set(message.seq, item);
    this.#group(index);
  }

  #fill(item, message) {
    this.#messages.set(item, message);
    const own = message.author.key === this.#me.key;
    fillMessage(item, message, { own, failed: this.#failedPictures.has(message.seq) });
  }

  /** Group message number `index` in the order with the one before it, and the one after it with that. */
  #group(index) {
    const [before, item, after] = [-1, 0, 1].map((step) => this.#items.get(this.#order[index + step]));
    groupMessage(item, this.#messages.get(item), this.#messages.get(before));
    if (after) {
      groupMessage(after, this.#messages.get(after), this.#messages.get(item));
      this.#chunks.touch(after);
    } else {
      this.#groupSending();
    }
  }

  #groupSending() {
    let before = this.#messages.get(this.#items.get(this.#order.at(-1)));
    for (const item of this.#pending.values()) {
      const message = this.#messages.get(item);
      groupMessage(item, message, before);
      before = message;
    }
  }

  /** Return the index in `#order` of the first number above `seq`. */
  #indexAfter(seq) {
    // Nearly always it is the last one.
    const last = this.#order.at(-1) ?? 0;
    return seq >= last ? this.#order.length : bisect(this.#order.length, (index) => this.#order[index] > seq);
  }

  // --- What is new ---

  #countUnseen(messages) {
    if (messages.length === 0 || this.atEnd || !this.#entered) {
      return;
    }
    if (this.#place.unseen === 0) {
      this.#unread.set(messages[0].seq - 1);
    }
    this.#place.addUnseen(messages.length);
  }

  #drawUnread() {
    if (this.#unread.after !== null) {
      const isNew = (seq) => {
        const { author, removed } = this.#messages.get(this.#items.get(seq));
        return author.key !== this.#me.key && !removed;
      };
      let index = this.#indexAfter(this.#unread.after);
      while (index < this.#order.length && !isNew(this.#order[index])) {
        index += 1;
      }
      const item = this.#items.get(this.#order[index]);
      if (item && item !== this.#unread.item) {
        this.#unread.drawAbove(item);
        this.#chunks.touch(item);
      }
    }
  }

  #leave() {
    if (this.atEnd) {
      this.#unread.set(this.#order.at(-1) ?? 0);
    }
  }

  /** Begin reading where one stopped, if that is out of sight. */
  #goToUnread() {
    const { item } = this.#unread;
    if (item && this.#place.isAbove(item)) {
      this.#place.show(item);
    }
  }
}
