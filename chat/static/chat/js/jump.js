// Going to one message, near or far: by the number in the address, or from what a search found.

import { byId, copyOf } from "./dom.js";
import { gettext } from "./i18n.js";
import { fillMessage, groupMessage } from "./message.js";
import { itemOf } from "./message_menu.js";
import { showError } from "./notices.js";
import { inWords } from "./words.js";

const PAGE = 100;
// Up to here all that is between is loaded; what is farther is shown by itself.
const FAR = 1_000;
const AROUND = 30;

export class Jump {
  #dialog = byId("around");
  #room;
  #log;
  #me;
  #item = null;

  constructor(room, log, me) {
    this.#room = room;
    this.#log = log;
    this.#me = me;
    // Once the log, which hears of them too, shows the first ones.
    room.addEventListener("messages", () => setTimeout(() => this.#toAddress()), { once: true });
    addEventListener("hashchange", () => this.#toAddress());
    this.#dialog.querySelector("[data-close-dialog]").addEventListener("click", () => this.#dialog.close());
  }

  /** Show message number `seq`, and what was said around it. */
  async to(seq) {
    const { timeline } = this.#room;
    if (this.#reveal(seq)) {
      return;
    }
    try {
      if (timeline.first - seq > FAR) {
        await this.#showAround(seq);
        return;
      }
      while (timeline.first > seq && !timeline.has(seq)) {
        const { messages } = await this.#room.history({ before: timeline.first, limit: PAGE });
        if (messages.length === 0) {
          break;
        }
      }
      if (!this.#reveal(seq)) {
        showError(gettext("There is no such message."), { kind: "history" });
      }
    } catch (error) {
      showError(inWords(error), { kind: "history" });
    }
  }

  #toAddress() {
    const seq = /^#(\d{1,15})$/.exec(location.hash)?.[1];
    if (seq) {
      this.to(Number(seq));
    }
  }

  /** Bring a message that is on the page into sight, and mark it until the next one is. */
  #reveal(seq) {
    if (!this.#log.reveal(seq)) {
      return false;
    }
    this.#item?.removeAttribute("aria-current");
    this.#item = itemOf(seq);
    this.#item.setAttribute("aria-current", "true");
    byId("log").focus({ preventScroll: true });
    return true;
  }

  async #showAround(seq) {
    const { messages } = await this.#room.history({ around: seq, limit: AROUND });
    if (!messages.some((message) => message.seq === seq)) {
      showError(gettext("There is no such message."), { kind: "history" });
      return;
    }
    let before = null;
    const items = messages.map((message) => {
      const item = copyOf("message");
      fillMessage(item, message, { own: message.author.key === this.#me.key, failed: false });
      groupMessage(item, message, before);
      item.classList.toggle("message-pointed", message.seq === seq);
      before = message;
      return item;
    });
    this.#dialog.querySelector("[role=list]").replaceChildren(...items);
    this.#dialog.showModal();
    this.#dialog.querySelector(".message-pointed").scrollIntoView({ block: "center" });
  }
}
