// Who is here.

import { byId, copyOf, paintAvatar } from "./dom.js";
import { fill, gettext, language, ngettext } from "./i18n.js";

export class People {
  #list = byId("people");
  #people = new Map();
  #me;

  constructor(me) {
    this.#me = me;
  }

  /** Show exactly these people. */
  set(people) {
    this.#people = new Map(people.map((person) => [person.key, person]));
    this.#show();
  }

  /** Take in a payload of the presence stream. */
  receive({ type, who }) {
    if (type === "join") {
      this.#people.set(who.key, who);
    } else if (type === "leave") {
      this.#people.delete(who.key);
    }
    this.#show();
  }

  #show() {
    const people = [...this.#people.values()].sort((one, other) => one.name.localeCompare(other.name, language));
    this.#list.replaceChildren(...people.map((person) => this.#item(person)));
    for (const count of document.querySelectorAll("[data-people-count]")) {
      count.textContent = String(people.length);
    }
    const label = ngettext("%(count)s person here", "%(count)s people here", people.length);
    document.querySelector("[data-open=people-panel]").ariaLabel = fill(label, { count: people.length });
  }

  #item(person) {
    const item = copyOf("person");
    paintAvatar(item.querySelector(".avatar"), person);
    item.querySelector("[data-name]").textContent = person.name;
    const notes = [];
    if (person.key === this.#me.key) {
      notes.push(gettext("you"));
    }
    if (person.guest) {
      notes.push(gettext("guest"));
    }
    item.querySelector("[data-note]").textContent = notes.join(", ");
    return item;
  }
}
