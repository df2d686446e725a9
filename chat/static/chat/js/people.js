// Who is here.

import { byId, copyOf, paintAvatar } from "./dom.js";
import { fill, gettext, language, ngettext } from "./i18n.js";

export class People {
  #list = byId("people");
  #people = new Map();
  // Who came or went, each with the payload that told it, which has the number of it in the room.
  #told = new Map();
  #number = Infinity;
  #count = 0;
  #counted = 0;
  #me;

  constructor(me) {
    this.#me = me;
  }

  /** Show these of `people` that are here, as of the room's coming or going number `presence`. */
  set(list, { people = list.length, presence = Infinity } = {}) {
    this.#people = new Map(list.map((person) => [person.key, person]));
    [this.#number, this.#count, this.#counted] = [presence, people, presence];
    // What was told under a later number comes on top, whether it came before this or comes after.
    this.#told = new Map([...this.#told].filter(([, payload]) => payload.presence > presence));
    this.#told.forEach((payload) => this.#apply(payload));
    this.#show();
  }

  /** Take in a payload of the presence stream. They come in any order: of each person, the highest number tells. */
  receive(payload) {
    const { key } = payload.who;
    if (payload.presence > (this.#told.get(key)?.presence ?? -1)) {
      this.#told.set(key, payload);
      if (payload.presence > this.#number) {
        this.#apply(payload);
        this.#show();
      }
    }
  }

  #apply({ type, who, presence, people }) {
    if (type === "join") {
      this.#people.set(who.key, who);
    } else {
      this.#people.delete(who.key);
    }
    if (presence > this.#counted) {
      [this.#counted, this.#count] = [presence, people];
    }
  }

  #show() {
    const people = [...this.#people.values()].sort((one, other) => one.name.localeCompare(other.name, language));
    this.#list.replaceChildren(...people.map((person) => this.#item(person)));
    for (const count of document.querySelectorAll("[data-people-count]")) {
      count.textContent = String(this.#count);
    }
    const label = ngettext("%(count)s person here", "%(count)s people here", this.#count);
    document.querySelector("[data-open=people-panel]").ariaLabel = fill(label, { count: this.#count });
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
