// What can be done with a message: one button that goes from message to message, and the menu that it opens.
//
// The button stands in the message that the pointer is over or that was last tapped, and is one stop of the Tab key;
// from there the arrow keys take it up and down the log.

import { urlFor } from "./config.js";
import { confirmed } from "./confirm.js";
import { byId, element, partsOf } from "./dom.js";
import { MessageEditor } from "./editor.js";
import { fill, gettext } from "./i18n.js";
import { menuButton } from "./menu.js";
import { showError } from "./notices.js";
import { inWords } from "./words.js";

export class MessageMenu {
  #list = byId("messages");
  #button = element("button", { type: "button", className: "message-more" }, partsOf("more"));
  #room;
  #me;
  #moderates = false;
  #item = null;
  #editor;

  constructor(room, me) {
    this.#room = room;
    this.#me = me;
    this.#editor = new MessageEditor(room);
    // The log is read out as it grows, but not because this comes and goes in it.
    this.#button.setAttribute("aria-live", "off");
    // First: in a menu's button the arrows would open it.
    this.#button.addEventListener("keydown", (event) => this.#step(event));
    menuButton(this.#button, () => this.#items());
    for (const type of ["pointerover", "click", "focusin"]) {
      this.#list.addEventListener(type, ({ target }) => this.#goTo(target.closest?.(".message")));
    }
    room.addEventListener("joined", ({ detail }) => {
      this.#moderates = (detail.permissions ?? []).includes("moderate");
    });
    room.addEventListener("messages", () => this.#item?.isConnected || this.#goTo(this.#lastItem()));
    room.addEventListener("changed", () => this.#item && this.#goTo(this.#item));
    room.addEventListener("left", () => this.#leave());
    this.#prepareComposer();
  }

  /** The arrow up in an empty box edits what one said last. */
  #prepareComposer() {
    const text = byId("composer-text");
    text.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowUp" || text.value !== "" || event.shiftKey || event.isComposing) {
        return;
      }
      const last = this.#room.timeline.messages.findLast((message) => this.#may(message).edit);
      if (last && this.#editor.open(last, () => text.focus())) {
        event.preventDefault();
      }
    });
  }

  #may(message) {
    const there = Boolean(message) && !message.removed;
    const own = message?.author.key === this.#me.key;
    return { copy: there, edit: there && own, remove: there && (own || this.#moderates) };
  }

  #messageOf(item) {
    return this.#room.timeline.get(Number(item?.dataset.seq));
  }

  #lastItem() {
    return this.#list.lastElementChild?.lastElementChild;
  }

  /** Put the button into `item`, or nowhere where nothing can be done there. */
  #goTo(item) {
    if (!item || this.#button.ariaExpanded === "true") {
      return;
    }
    const message = this.#messageOf(item);
    if (!this.#may(message).copy) {
      if (item === this.#item) {
        this.#button.remove();
        this.#item = null;
      }
      return;
    }
    if (item !== this.#item || !this.#button.isConnected) {
      const focused = document.activeElement === this.#button;
      this.#item?.classList.remove("message-current");
      this.#item = item;
      item.classList.add("message-current");
      item.querySelector(".message-main").append(this.#button);
      if (focused) {
        this.#focus();
      }
    }
    const words = message.body.slice(0, 60) || gettext("picture");
    this.#button.ariaLabel = fill(gettext("Actions for the message of %(name)s: %(text)s"), {
      name: message.author.name, text: words,
    });
    this.#button.title = gettext("Actions");
  }

  #step(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { messages } = this.#room.timeline;
    let index = messages.findIndex(({ seq }) => seq === Number(this.#item.dataset.seq)) + step;
    while (messages[index]?.removed) {
      index += step;
    }
    const item = messages[index] && itemOf(messages[index].seq);
    if (item) {
      item.scrollIntoView({ block: "nearest" });
      this.#goTo(item);
      this.#focus();
    }
  }

  #items() {
    const message = this.#messageOf(this.#item);
    const may = this.#may(message);
    const items = [{ label: gettext("Copy link"), action: () => this.#copy(message.seq) }];
    if (may.edit) {
      items.unshift({ label: gettext("Edit"), action: () => this.#editor.open(message, () => this.#focus()) });
    }
    if (may.remove) {
      items.push({ label: gettext("Remove"), danger: true, action: () => this.#remove(message.seq) });
    }
    return items;
  }

  async #copy(seq) {
    const link = new URL(`${urlFor("room", this.#room.name)}#${seq}`, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      byId("said").textContent = gettext("The link was copied.");
    } catch {
      // Without TLS, or where the browser was told not to.
      showError(fill(gettext("The link could not be copied: %(link)s"), { link }), { kind: "copy" });
    }
    this.#focus();
  }

  async #remove(seq) {
    if (await confirmed(gettext("Remove this message for everybody? It cannot be brought back."), gettext("Remove"))) {
      try {
        await this.#room.request("remove", { seq });
      } catch (error) {
        showError(inWords(error), { kind: "change" });
      }
    }
    this.#focus();
  }

  #focus() {
    if (this.#button.isConnected) {
      this.#button.focus({ preventScroll: true });
    } else {
      byId("log").focus({ preventScroll: true });
    }
  }

  #leave() {
    this.#editor.close();
    this.#button.remove();
    this.#item = null;
  }
}

export const itemOf = (seq) => byId("messages").querySelector(`.message[data-seq="${seq}"]`);
