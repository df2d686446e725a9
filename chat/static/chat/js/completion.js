// "@" in the message box: a list of people to choose from, worked by the keys while the box keeps the focus.

import { byId, element, paintAvatar } from "./dom.js";
import { fill, language, ngettext } from "./i18n.js";
import { everybody, know } from "./names.js";

const MOST = 8;
// Pixels above the box, and the widest that the list gets.
const GAP = 6;
const WIDTH = 352;
// What stands before the caret: an @ that begins a word, and the characters that a user's name may have.
const ASKED = /(?:^|[^a-zA-Z0-9_/.+@-])@([\p{L}\p{N}_.+-]{0,30})$/u;

export class Completion {
  #text = byId("composer-text");
  #list = byId("mention-list");
  #status = byId("mention-status");
  #room;
  #me;
  #here = new Set();
  #asked = false;
  #chosen = -1;
  #people = [];

  constructor(room, me) {
    this.#room = room;
    this.#me = me;
    this.#text.setAttribute("aria-autocomplete", "list");
    this.#text.setAttribute("aria-controls", this.#list.id);
    this.#text.addEventListener("input", () => this.#look());
    this.#text.addEventListener("click", () => this.#look());
    this.#text.addEventListener("blur", () => this.#close());
    // Before the box hears of it, for which Enter means to send.
    this.#text.form.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    // The focus stays in the box.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => {
      const index = [...this.#list.children].indexOf(target.closest("[role=option]"));
      if (index >= 0) {
        this.#take(index);
      }
    });
    room.addEventListener("joined", ({ detail }) => this.#meet(detail.members, { anew: true }));
  }

  /** Take in a payload of the presence stream. */
  receive({ type, who }) {
    if (type === "join") {
      this.#meet([who]);
    } else if (type === "leave") {
      this.#here.delete(who.key);
    }
  }

  #meet(people, { anew = false } = {}) {
    if (anew) {
      this.#here.clear();
    }
    for (const person of people) {
      know(person);
      this.#here.add(person.key);
    }
  }

  get #open() {
    return this.#list.matches(":popover-open");
  }

  #asking() {
    const { selectionStart, selectionEnd, value } = this.#text;
    return selectionStart === selectionEnd ? ASKED.exec(value.slice(0, selectionStart)) : null;
  }

  #look() {
    const found = this.#asking();
    if (!found) {
      this.#close();
      return;
    }
    this.#askForMembers();
    const wanted = found[1].toLocaleLowerCase();
    const rank = ({ key, name }) => {
      const place = name.toLocaleLowerCase().indexOf(wanted);
      return place < 0 ? null : (place > 0 ? 2 : 0) + (this.#here.has(key) ? 0 : 1);
    };
    this.#people = everybody()
      .filter(({ key }) => key !== this.#me.key)
      .map((person) => ({ ...person, rank: rank(person) }))
      .filter((person) => person.rank !== null)
      .sort((one, other) => one.rank - other.rank || one.name.localeCompare(other.name, language))
      .slice(0, MOST);
    this.#show();
  }

  /** Members who are not here: asked for once, with the first @. */
  async #askForMembers() {
    if (this.#asked) {
      return;
    }
    this.#asked = true;
    try {
      const { members } = await this.#room.request("members");
      members.forEach(know);
      if (this.#asking()) {
        this.#look();
      }
    } catch (error) {
      this.#asked = false;
      console.info("no members to choose from:", error.code);
    }
  }

  #show() {
    this.#list.replaceChildren(...this.#people.map((person, index) => this.#option(person, index)));
    if (this.#people.length === 0) {
      this.#close();
      return;
    }
    // In the top layer, since the frame around the box cuts off what is higher than it.
    const { top, left, width } = this.#text.form.getBoundingClientRect();
    Object.assign(this.#list.style, {
      bottom: `${innerHeight - top + GAP}px`, left: `${left}px`, width: `${Math.min(width, WIDTH)}px`,
    });
    this.#list.showPopover();
    this.#choose(0);
    const text = ngettext("%(count)s person to mention", "%(count)s people to mention", this.#people.length);
    this.#status.textContent = fill(text, { count: this.#people.length });
  }

  #option(person, index) {
    const avatar = element("span", { className: "avatar", ariaHidden: "true" });
    paintAvatar(avatar, person);
    const name = element("span", { className: "mention-name", dir: "auto", textContent: person.name });
    return element("li", { id: `mention-${index}`, role: "option" }, avatar, name);
  }

  #choose(index) {
    this.#chosen = index;
    [...this.#list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === index)));
    this.#text.setAttribute("aria-activedescendant", `mention-${index}`);
    this.#list.children[index].scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    if (!this.#open || event.isComposing || event.keyCode === 229) {
      return;
    }
    const count = this.#people.length;
    if (event.key === "Enter" && this.#asking()?.[1] === this.#people[this.#chosen].name) {
      // The whole name stands there: there is nothing to complete, and Enter sends.
      this.#close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: count - 1 }[event.key];
    if (step) {
      this.#choose((this.#chosen + step) % count);
    } else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") {
      this.#take(this.#chosen);
    } else if (event.key === "Escape") {
      this.#close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  #take(index) {
    const { name } = this.#people[index];
    const end = this.#text.selectionStart;
    const start = end - this.#asking()[1].length;
    this.#close();
    this.#text.setRangeText(`${name} `, start, end, "end");
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
    this.#text.focus();
  }

  #close() {
    this.#list.hidePopover();
    this.#status.textContent = "";
    this.#text.removeAttribute("aria-activedescendant");
  }
}
