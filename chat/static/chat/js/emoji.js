// A panel to pick emoji from: by sight, by words in English or Chinese, and again those that one took last.

import { byId, element } from "./dom.js";
import { fill, gettext, language } from "./i18n.js";
import { load, save } from "./storage.js";

const RECENT = "chat:emoji";
const MOST_RECENT = 24;
const chinese = language.startsWith("zh");

/** Prepare the button and the panel; `insert(text)` puts an emoji where the caret is. */
export function prepareEmoji(insert) {
  const panel = new Panel(insert);
  const button = byId("emoji-open");
  button.disabled = false;
  button.addEventListener("click", () => panel.toggle());
}

class Panel {
  #panel = byId("emoji-panel");
  #search = byId("emoji-search");
  #list = byId("emoji-list");
  #groups = null;
  #insert;

  constructor(insert) {
    this.#insert = insert;
    this.#search.addEventListener("input", () => this.#show());
    this.#panel.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", ({ target, shiftKey }) => {
      const button = target.closest("button");
      if (button) {
        this.#take(button.dataset.emoji, { stay: shiftKey });
      }
    });
    // A click elsewhere puts it away; the panel is no dialog that keeps one from the rest of the page.
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#panel.hidden && !this.#panel.contains(target) && !target.closest("#emoji-open")) {
        this.#close({ focus: false });
      }
    });
  }

  async toggle() {
    if (!this.#panel.hidden) {
      this.#close();
      return;
    }
    this.#panel.hidden = false;
    byId("emoji-open").setAttribute("aria-expanded", "true");
    this.#search.value = "";
    this.#search.focus();
    this.#groups ??= parse((await import("./emoji-data.js")).GROUPS);
    this.#show();
  }

  #close({ focus = true } = {}) {
    this.#panel.hidden = true;
    byId("emoji-open").setAttribute("aria-expanded", "false");
    if (focus) {
      byId("composer-text").focus();
    }
  }

  #take(emoji, { stay }) {
    const recent = (load("localStorage", RECENT) ?? []).filter((other) => other !== emoji);
    save("localStorage", RECENT, [emoji, ...recent].slice(0, MOST_RECENT));
    this.#insert(emoji);
    if (!stay) {
      this.#close();
    }
  }

  #show() {
    if (!this.#groups) {
      // They are on their way, and shown once they are here, for what was typed meanwhile.
      return;
    }
    const words = this.#search.value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const groups = words.length ? [this.#found(words)] : [this.#recent(), ...this.#groups];
    this.#list.replaceChildren(...groups.filter(({ items }) => items.length).map(group));
    this.#list.scrollTop = 0;
    const first = this.#list.querySelector("button");
    if (first) {
      first.tabIndex = 0;
    }
    const count = words.length ? groups[0].items.length : null;
    byId("emoji-none").hidden = count !== 0;
    byId("emoji-found").textContent = count === null ? "" : fill(gettext("%(count)s found"), { count });
  }

  #recent() {
    const kept = load("localStorage", RECENT) ?? [];
    const all = new Map(this.#groups.flatMap(({ items }) => items).map((item) => [item.emoji, item]));
    return { name: gettext("Recent"), items: kept.flatMap((emoji) => all.get(emoji) ?? []) };
  }

  #found(words) {
    const items = this.#groups.flatMap((one) => one.items);
    const matching = items.filter(({ text }) => words.every((word) => text.includes(word)));
    // Names that begin with it before words that contain it.
    const first = matching.filter(({ name }) => name.startsWith(words[0]));
    return { name: gettext("Found"), items: [...new Set([...first, ...matching])] };
  }

  #key(event) {
    // A Chinese input method needs these keys for itself.
    if (event.isComposing || event.keyCode === 229) {
      return;
    }
    const buttons = [...this.#list.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const columns = at < 0 ? 1 : columnsOf(buttons[at]);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Enter" && at < 0 && buttons.length > 0) {
      event.preventDefault();
      this.#take(buttons[0].dataset.emoji, { stay: event.shiftKey });
    } else if (step && (at >= 0 || event.key === "ArrowDown")) {
      event.preventDefault();
      const next = at < 0 ? 0 : at + step;
      (next < 0 ? this.#search : buttons[Math.min(next, buttons.length - 1)])?.focus();
    }
  }
}

function columnsOf(button) {
  return getComputedStyle(button.parentElement).gridTemplateColumns.split(" ").length;
}

function parse(groups) {
  return groups.map(({ name, rows }) => ({
    name,
    items: rows.trim().split("\n").map((row) => {
      const [emoji, english, local, more] = row.split("|");
      return { emoji, name: chinese ? local : english, text: `${english} ${local} ${more}` };
    }),
  }));
}

function group({ name, items }, index) {
  const heading = element("h2", { id: `emoji-group-${index}`, textContent: name });
  const grid = element("div", { className: "emoji-grid", role: "group" });
  grid.setAttribute("aria-labelledby", heading.id);
  grid.append(...items.map((item) => {
    const button = element("button", { type: "button", textContent: item.emoji, title: item.name, ariaLabel: item.name });
    button.dataset.emoji = item.emoji;
    // Tab leads to the first, and the arrows from one to the next.
    button.tabIndex = -1;
    return button;
  }));
  return element("section", {}, heading, grid);
}
