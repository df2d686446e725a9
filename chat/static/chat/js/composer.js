// The box to write in.

import { limits, slug } from "./config.js";
import { byId } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { Attachments } from "./attachments.js";
import { draftOf, keepDraft } from "./drafts.js";
import { clearError, showError } from "./notices.js";
import { preference } from "./preferences.js";
import { upload } from "./upload.js";

// How many characters before the limit we begin to count.
const COUNT_FROM = 300;

export class Composer {
  #form = byId("composer");
  #text = byId("composer-text");
  #send = byId("send");
  #attachments = new Attachments(() => this.#show());
  #uploading = false;
  #closed = false;
  #onText;
  #onUploaded;

  /** `onText(text)` returns false where it cannot be sent now; `onUploaded({message, job})` hears of each picture. */
  constructor({ onText, onUploaded }) {
    this.#onText = onText;
    this.#onUploaded = onUploaded;
    this.#text.value = this.#text.value || draftOf(slug);
    this.#text.addEventListener("input", () => this.#changed());
    this.#text.addEventListener("keydown", (event) => {
      // While a Chinese input method composes, Enter takes its suggestion.
      const composing = event.isComposing || event.keyCode === 229;
      const sends = event.ctrlKey || event.metaKey || (!event.shiftKey && preference("enter"));
      if (event.key === "Enter" && sends && !composing) {
        event.preventDefault();
        this.#form.requestSubmit();
      }
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#changed();
  }

  /** Put `text` where the caret is, in place of what is selected. */
  insert(text) {
    const { selectionStart, selectionEnd } = this.#text;
    this.#text.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#changed();
  }

  /** Take no more messages: the room is no longer ours. */
  close() {
    this.#closed = true;
    this.#text.disabled = true;
    byId("attach").disabled = true;
    this.#show();
  }

  async #submit() {
    const text = this.#text.value.trim();
    const over = [...text].length - limits.body;
    if (this.#closed || this.#uploading || (!text && this.#attachments.waiting.length === 0)) {
      return;
    }
    if (over > 0) {
      const words = ngettext(
        "The message is too long by %(count)s character.", "The message is too long by %(count)s characters.", over,
      );
      showError(fill(words, { count: over }), { kind: "send" });
      return;
    }
    clearError("send");
    if (this.#attachments.waiting.length > 0) {
      this.#setText("");
      await this.#upload(text);
    } else if (this.#onText(text)) {
      this.#setText("");
    } else {
      showError(gettext("There is no connection: your message stays here until it can be sent."), { kind: "send" });
    }
  }

  /** Send the waiting pictures one after the other, the text with the first. */
  async #upload(text) {
    let caption = text;
    this.#uploading = true;
    this.#show();
    for (const entry of this.#attachments.waiting) {
      this.#attachments.progress(entry, 0);
      try {
        this.#onUploaded(await upload(slug, entry, caption, (share) => this.#attachments.progress(entry, share)));
        caption = "";
        this.#attachments.remove(entry);
      } catch (error) {
        this.#attachments.progress(entry, null);
        showError(error.message, { kind: "send" });
        this.#setText([caption, this.#text.value].filter(Boolean).join("\n"));
        break;
      }
    }
    this.#uploading = false;
    this.#show();
  }

  #setText(text) {
    this.#text.value = text;
    this.#changed();
  }

  #changed() {
    keepDraft(slug, this.#text.value);
    // As high as its lines; the style sheet sets the bounds.
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    const left = limits.body - [...this.#text.value.trim()].length;
    byId("left").hidden = left > COUNT_FROM;
    byId("left").textContent = String(left);
    byId("left").classList.toggle("left-over", left < 0);
    this.#show();
  }

  #show() {
    const something = this.#text.value.trim() !== "" || this.#attachments?.waiting.length > 0;
    this.#send.disabled = !something || this.#uploading || this.#closed;
  }
}
