// Editing a message where it stands: Enter saves, Escape leaves it as it was.

import { limits } from "./config.js";
import { copyOf, element } from "./dom.js";
import { gettext } from "./i18n.js";
import { inWords } from "./words.js";

export class MessageEditor {
  #room;
  #form = null;
  #seq = 0;
  #onClose = null;

  constructor(room) {
    this.#room = room;
    room.addEventListener("changed", ({ detail: { message } }) => {
      if (message.seq === this.#seq && message.removed) {
        this.close();
      }
    });
  }

  /** Open on a message that is on the page, and return whether it is; `onClose()` gives the focus back. */
  open(message, onClose) {
    const item = document.querySelector(`#messages .message[data-seq="${message.seq}"]`);
    if (!item) {
      return false;
    }
    this.close();
    this.#seq = message.seq;
    this.#onClose = onClose;
    this.#form = copyOf("editor");
    const text = this.#form.querySelector("textarea");
    text.value = message.body;
    text.required = !message.image;
    text.addEventListener("input", () => this.#grow());
    text.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.#form.querySelector("[data-cancel]").addEventListener("click", () => this.close());
    item.classList.add("message-editing");
    item.querySelector(".bubble").after(this.#form);
    this.#grow();
    this.#form.scrollIntoView({ block: "nearest" });
    text.focus({ preventScroll: true });
    text.setSelectionRange(text.value.length, text.value.length);
    return true;
  }

  close() {
    const form = this.#form;
    if (form === null) {
      return;
    }
    this.#form = null;
    this.#seq = 0;
    form.closest(".message")?.classList.remove("message-editing");
    form.remove();
    this.#onClose();
  }

  #key(event) {
    // While an input method composes, both keys are its own.
    if (event.isComposing || event.keyCode === 229) {
      return;
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#form.requestSubmit();
    }
  }

  #grow() {
    const text = this.#form.querySelector("textarea");
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  }

  async #save() {
    const form = this.#form;
    const text = form.querySelector("textarea");
    const body = text.value.trim();
    if ([...body].length > limits.body) {
      this.#say(gettext("The message is too long."));
      return;
    }
    form.inert = true;
    try {
      await this.#room.request("edit", { seq: this.#seq, body });
      if (form === this.#form) {
        this.close();
      }
    } catch (error) {
      form.inert = false;
      if (form === this.#form) {
        this.#say(inWords(error));
        text.focus();
      }
    }
  }

  #say(text) {
    this.#form.querySelector("[data-error]").replaceChildren(element("span", { textContent: text }));
  }
}
