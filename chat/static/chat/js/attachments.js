// The pictures that wait above the message box: chosen, pasted or dropped.

import { limits } from "./config.js";
import { newId } from "../streams.js";
import { byId, copyOf } from "./dom.js";
import { fill, gettext, language } from "./i18n.js";
import { clearError, showError } from "./notices.js";

const TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export class Attachments {
  #list = byId("attachments");
  #waiting = [];
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    const input = byId("file");
    byId("attach").disabled = false;
    byId("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = "";
      byId("composer-text").focus();
    });
    this.#acceptDrops();
  }

  get waiting() {
    return [...this.#waiting];
  }

  /** Add files, or say why not. Return whether there was any. */
  add(files) {
    clearError("file");
    for (const file of files) {
      const problem = this.#problem(file);
      if (problem) {
        showError(problem, { kind: "file" });
      } else {
        this.#put(file);
      }
    }
    this.#changed();
    return files.length > 0;
  }

  remove(entry) {
    this.#waiting = this.#waiting.filter((other) => other !== entry);
    URL.revokeObjectURL(entry.item.querySelector("img").src);
    entry.item.remove();
    this.#changed();
  }

  /** Show how far the upload is (0 to 1), or with null that it is not going on. */
  progress(entry, share) {
    const bar = entry.item.querySelector("progress");
    bar.hidden = share === null;
    bar.value = share ?? 0;
    entry.item.classList.toggle("attachment-busy", share !== null);
    entry.item.querySelector("button").disabled = share !== null;
  }

  #problem(file) {
    if (!TYPES.has(file.type)) {
      return fill(gettext("%(name)s is not a PNG, JPEG, GIF or WebP picture."), { name: file.name });
    }
    if (file.size > limits.image) {
      const size = (limits.image / 2 ** 20).toLocaleString(language);
      return fill(gettext("%(name)s is larger than %(size)s MB."), { name: file.name, size });
    }
    return null;
  }

  #put(file) {
    const item = copyOf("attachment");
    const entry = { file, item, id: newId() };
    // alt stays empty: the name stands below it.
    item.querySelector("img").src = URL.createObjectURL(file);
    item.querySelector(".attachment-name").textContent = file.name;
    item.querySelector("button").addEventListener("click", () => {
      this.remove(entry);
      byId("composer-text").focus();
    });
    this.#list.append(item);
    this.#waiting.push(entry);
  }

  #changed() {
    this.#list.hidden = this.#waiting.length === 0;
    this.#onChange();
  }

  #acceptDrops() {
    const sign = byId("drop-here");
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => {
      if (hasFiles(event)) {
        event.preventDefault();
        sign.hidden = false;
      }
    });
    // relatedTarget is null where the pointer leaves the window.
    addEventListener("dragleave", (event) => event.relatedTarget === null && (sign.hidden = true));
    addEventListener("drop", (event) => {
      sign.hidden = true;
      if (hasFiles(event)) {
        event.preventDefault();
        this.add(event.dataTransfer.files);
        byId("composer-text").focus();
      }
    });
    byId("composer-text").addEventListener("paste", ({ clipboardData }) => {
      // Text that comes with a picture, as from office programs, is the better half: leave it to the browser.
      if (!clipboardData.types.includes("text/plain")) {
        this.add(clipboardData.files);
      }
    });
  }
}
