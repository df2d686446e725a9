// The line above the first message that one has not read: on entering, and after having been away.

import { element } from "./dom.js";
import { gettext } from "./i18n.js";

export class UnreadLine {
  #line = element("p", { className: "unread-line" }, element("span", { textContent: gettext("New messages") }));
  #item = null;
  // What comes after the message of this number is new; null: nothing is.
  #after = null;

  get after() {
    return this.#after;
  }

  /** The message under the line, as an element, or null. */
  get item() {
    return this.#item;
  }

  /** Take the line away; what comes after message number `after` is new from now on. */
  set(after) {
    this.#after = after;
    this.#item = null;
    this.#line.remove();
  }

  drawAbove(item) {
    this.#item = item;
    item.querySelector(".message-row").before(this.#line);
  }
}
