// The place where one reads: at the end, which is followed, or above it, where nothing may move what one reads.

import { byId, element, partsOf } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";

// Pixels from the end that still count as being there.
const NEAR = 80;
// Pixels that stay free above a message that is brought into sight.
const MARGIN = 64;

export class Place {
  #log = byId("log");
  #newer = byId("newer");
  #atEnd = true;
  #unseen = 0;
  #far = false;
  #width = 0;
  #first;
  #onEnd;
  #onWidth;

  /**
   * `first(top)` returns the first message that reaches below `top` in the window; `onEnd()` hears that the end came into sight,
   * `onWidth()` that lines may break elsewhere.
   */
  constructor({ first, onEnd, onWidth }) {
    this.#first = first;
    this.#onEnd = onEnd;
    this.#onWidth = onWidth;
    this.#log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#newer.addEventListener("click", () => {
      this.toEnd();
      // The button goes away under the focus.
      this.#log.focus({ preventScroll: true });
    });
    const observer = new ResizeObserver(() => this.#resized());
    observer.observe(this.#log);
    observer.observe(this.#log.firstElementChild);
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** Call `change()`, which may add, remove or replace messages, without moving what is in sight. */
  keep(change) {
    const item = this.#atEnd ? null : this.#first(topOf(this.#log));
    const before = item && topOf(item);
    change();
    if (this.#atEnd) {
      this.toEnd();
    } else if (item?.isConnected && topOf(item) !== before) {
      this.#log.scrollTop += topOf(item) - before;
    }
  }

  /** Note that `count` messages have come below what is in sight. */
  addUnseen(count) {
    this.#unseen += count;
    this.#showButton();
  }

  get unseen() {
    return this.#unseen;
  }

  toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#arrived();
  }

  /** Return whether `item` begins above what is in sight. */
  isAbove(item) {
    return topOf(item) < topOf(this.#log);
  }

  /** Bring `item` to the upper edge, as far as there is enough below it. */
  show(item) {
    this.#log.scrollTop += topOf(item) - topOf(this.#log) - MARGIN;
    this.#scrolled();
  }

  #resized() {
    const width = this.#log.clientWidth;
    if (width !== this.#width) {
      if (this.#width) {
        this.#onWidth();
      }
      this.#width = width;
    }
    if (this.#atEnd) {
      this.toEnd();
    }
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    const below = scrollHeight - scrollTop - clientHeight;
    this.#far = below > clientHeight / 2;
    this.#atEnd = below < NEAR;
    if (this.#atEnd) {
      this.#arrived();
    } else {
      this.#showButton();
    }
  }

  #arrived() {
    this.#atEnd = true;
    this.#unseen = 0;
    this.#showButton();
    this.#onEnd();
  }

  #showButton() {
    this.#newer.hidden = this.#atEnd || (!this.#far && this.#unseen === 0);
    this.#newer.classList.toggle("newer-unseen", this.#unseen > 0);
    if (this.#unseen > 0) {
      const text = ngettext("%(count)s new message", "%(count)s new messages", this.#unseen);
      this.#newer.replaceChildren(`${fill(text, { count: this.#unseen })} ↓`);
    } else if (!this.#newer.querySelector(".icon")) {
      const words = element("span", { className: "visually-hidden", textContent: gettext("Jump to the latest message") });
      this.#newer.replaceChildren(partsOf("down"), words);
    }
  }
}

/** Return how far below the upper edge of the window `item` begins. */
function topOf(item) {
  return item.getBoundingClientRect().top;
}
