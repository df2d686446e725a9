// The search: a dialog with what was found in all rooms of one's own, newest first.

import { slug, urlFor } from "./config.js";
import { byId, copyOf, element, paint } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { fullText } from "./times.js";
import { inWords } from "./words.js";

const TYPING_MS = 200;
// Characters that are shown of a long message, and how many of them before the first word that was found.
const SHOWN = 220;
const BEFORE = 60;

export class Search {
  #dialog = byId("search");
  #text = byId("search-text");
  #here = byId("search-here");
  #list = byId("search-results");
  #more = byId("search-more");
  #status = byId("search-status");
  #streams;
  #rooms;
  #onChosen;
  #timer = 0;
  #asked = 0;
  #next = null;

  /** `onChosen(seq)` is called for a message of the open room; others are links. */
  constructor(streams, rooms, onChosen) {
    this.#streams = streams;
    this.#rooms = rooms;
    this.#onChosen = onChosen;
    byId("search-open").addEventListener("click", () => this.open());
    addEventListener("keydown", (event) => this.#shortcut(event));
    this.#dialog.querySelector("[data-close-dialog]").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#dialog.addEventListener("keydown", (event) => this.#step(event));
    this.#dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#list.querySelector("a")?.focus();
    });
    this.#text.addEventListener("input", (event) => event.isComposing || this.#later());
    this.#text.addEventListener("compositionend", () => this.#later());
    this.#here?.addEventListener("change", () => this.#begin());
    this.#more.addEventListener("click", () => this.#ask());
    this.#list.addEventListener("click", (event) => this.#chosen(event));
  }

  open() {
    if (!document.querySelector("dialog[open]")) {
      this.#dialog.showModal();
      this.#text.select();
    }
  }

  #shortcut(event) {
    // A key alone only where one reads: elsewhere it may be meant for something else, as with speech input.
    const reading = event.target === byId("log");
    const slash = event.key === "/" && reading && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (slash || ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k")) {
      event.preventDefault();
      this.open();
    }
  }

  /** The arrow keys go from the box through what was found, and back. */
  #step(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) {
      return;
    }
    const stops = [this.#text, ...this.#list.querySelectorAll("a")];
    const next = stops[stops.indexOf(document.activeElement) + step];
    if (stops.includes(document.activeElement) && next) {
      event.preventDefault();
      next.focus();
    }
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), TYPING_MS);
  }

  #begin() {
    this.#next = null;
    this.#ask();
  }

  async #ask() {
    const query = this.#text.value;
    this.#asked += 1;
    const asked = this.#asked;
    if (!query.trim()) {
      this.#show([], query, false);
      this.#status.textContent = "";
      return;
    }
    const before = this.#next ?? undefined;
    const room = this.#here?.checked ? slug : undefined;
    try {
      const answer = await this.#streams.request("chat", { type: "search", query, before, room });
      // Somebody who types on is not interested in this any more.
      if (asked === this.#asked) {
        this.#next = answer.next;
        this.#show(answer.messages, query, before !== undefined);
      }
    } catch (error) {
      if (asked === this.#asked) {
        this.#status.textContent = inWords(error);
      }
    }
  }

  #show(messages, query, added) {
    const items = messages.map((message) => this.#item(message, wordsOf(query)));
    if (added) {
      this.#list.append(...items);
      items[0]?.querySelector("a").focus();
    } else {
      this.#list.replaceChildren(...items);
    }
    this.#more.hidden = this.#next === null;
    const count = this.#list.children.length;
    const text = ngettext("%(count)s message found", "%(count)s messages found", count);
    this.#status.textContent = count === 0
      ? gettext("Nothing found.")
      : fill(text, { count: this.#next === null ? count : `${count}+` });
  }

  #item(message, words) {
    const item = copyOf("found");
    const link = item.querySelector("a");
    link.href = `${urlFor("room", message.room)}#${message.seq}`;
    const date = new Date(message.at);
    item.querySelector("[data-room-name]").textContent = this.#rooms.nameOf(message.room) ?? message.room_name;
    const author = item.querySelector("[data-author]");
    author.textContent = message.author.name;
    paint(author, message.author.key);
    const time = item.querySelector("time");
    time.dateTime = message.at;
    time.textContent = fullText(date);
    item.querySelector("[data-text]").append(...marked(excerpt(message.body, words), words));
    return item;
  }

  #chosen(event) {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) {
      return;
    }
    const address = new URL(link.href);
    this.#dialog.close();
    if (slug !== null && address.pathname === location.pathname) {
      event.preventDefault();
      history.replaceState(null, "", address);
      this.#onChosen(Number(address.hash.slice(1)));
    }
  }
}

const wordsOf = (query) => query.split(/\s+/).map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "")).filter(Boolean);

const pattern = (words) => new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "giu");

/** Return the part of a long text that has the first of the words. */
function excerpt(text, words) {
  const place = words.length === 0 ? 0 : Math.max(0, text.search(pattern(words)) - BEFORE);
  const start = text.length > SHOWN ? place : 0;
  return `${start > 0 ? "…" : ""}${text.slice(start, start + SHOWN)}${start + SHOWN < text.length ? "…" : ""}`;
}

/** Return `text` as nodes with the words marked. */
function marked(text, words) {
  if (words.length === 0) {
    return [text];
  }
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern(words))) {
    nodes.push(text.slice(end, match.index), element("mark", { textContent: match[0] }));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}
