// Who is here, what they are in this room, and who else belongs to it.

import { byId, copyOf, paintAvatar } from "./dom.js";
import { Here } from "./here.js";
import { fill, gettext, language, ngettext } from "./i18n.js";
import { menuButton } from "./menu.js";

const ROLES = { owner: gettext("owner"), moderator: gettext("moderator") };

export class People {
  #here = new Here();
  #members = new Map();
  #items = new Map();
  #me;
  #showsAway;
  #menuOf;

  /**
   * `showsAway`: whether to list the members who are not here. `menuOf(person)` returns the items of somebody's menu,
   * see menu.js; who has none has no button.
   */
  constructor(me, { showsAway = false, menuOf = () => [] } = {}) {
    this.#me = me;
    this.#showsAway = showsAway;
    this.#menuOf = menuOf;
  }

  /** Show exactly these people as being here; `detail` as in here.js. */
  set(list, detail) {
    this.#here.set(list, detail);
    this.show();
  }

  /** Take in a payload of the presence stream. */
  receive(payload) {
    if (this.#here.receive(payload)) {
      this.show();
    }
  }

  /** Take in the members of the room: [{key, name, guest, role}]. */
  setMembers(members) {
    this.#members = new Map(members.map((member) => [member.key, member]));
    this.show();
  }

  /** Note what somebody is in the room now, null for no member. False where it was somebody we know nothing of. */
  setRole(key, role) {
    const known = this.#members.get(key) ?? this.#here.get(key);
    if (role === null) {
      this.#members.delete(key);
    } else if (known) {
      this.#members.set(key, { ...known, role });
    }
    this.show();
    return role === null || known !== undefined;
  }

  roleOf(key) {
    return this.#members.get(key)?.role ?? null;
  }

  /** Show everything anew: what people are, or what we may do to them, has changed. */
  show() {
    const here = this.#here.people.sort(byName);
    const { more } = this.#here;
    // Who is not listed may still be here, where not all are: then nobody is said to be away.
    const showsAway = this.#showsAway && more === 0;
    const away = showsAway ? [...this.#members.values()].filter(({ key }) => !this.#here.get(key)).sort(byName) : [];
    const shown = new Set([...here, ...away].map(({ key }) => key));
    for (const [key, item] of this.#items) {
      if (!shown.has(key)) {
        item.remove();
        this.#items.delete(key);
      }
    }
    this.#fill(byId("people"), here);
    byId("people-more").hidden = more === 0;
    byId("people-more").textContent = fill(gettext("and %(count)s more"), { count: more });
    this.#fill(byId("away"), away);
    byId("away-title").hidden = away.length === 0;
    for (const count of document.querySelectorAll("[data-people-count]")) {
      count.textContent = String(this.#here.count);
    }
    const label = ngettext("%(count)s person here", "%(count)s people here", this.#here.count);
    document.querySelector("[data-open=people-panel]").ariaLabel = fill(label, { count: this.#here.count });
  }

  /** Items that stay are not moved: one of them may have the focus, or its menu open. */
  #fill(list, people) {
    people.forEach((person, place) => {
      const item = this.#item(person);
      if (list.children[place] !== item) {
        list.insertBefore(item, list.children[place] ?? null);
      }
    });
  }

  #item(person) {
    const item = this.#items.get(person.key) ?? this.#made(person.key);
    paintAvatar(item.querySelector(".avatar"), person);
    item.querySelector("[data-name]").textContent = person.name;
    const notes = [
      person.key === this.#me.key && gettext("you"),
      person.guest && gettext("guest"),
      ROLES[this.roleOf(person.key)],
    ];
    item.querySelector("[data-note]").textContent = notes.filter(Boolean).join(", ");
    const button = item.querySelector("button");
    button.ariaLabel = fill(gettext("What to do with %(name)s"), { name: person.name });
    button.hidden = this.#menuOf(person).length === 0;
    return item;
  }

  #made(key) {
    const item = copyOf("person");
    this.#items.set(key, item);
    item.dataset.key = key;
    menuButton(item.querySelector("button"), () => this.#menuOf(this.#here.get(key) ?? this.#members.get(key)));
    return item;
  }
}

function byName(one, other) {
  return one.name.localeCompare(other.name, language);
}
