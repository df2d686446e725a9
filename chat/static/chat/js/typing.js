// Who else is typing, and telling them when we are.

import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";

// While somebody goes on typing it is said again after this long: well within the time for which it counts.
const AGAIN_MS = 3_000;

class Typists {
  #line = byId("typing");
  #people = new Map();

  /** Note that somebody types for the next `ms`; 0: they have stopped. */
  note({ key, name }, ms) {
    clearTimeout(this.#people.get(key)?.timer);
    this.#people.delete(key);
    if (ms > 0) {
      this.#people.set(key, { name, timer: setTimeout(() => this.note({ key }, 0), ms) });
    }
    this.#show();
  }

  clear() {
    for (const key of [...this.#people.keys()]) {
      this.note({ key }, 0);
    }
  }

  #show() {
    const [one, other, ...more] = [...this.#people.values()].map(({ name }) => name);
    let text = "";
    if (more.length > 0) {
      text = gettext("Several people are typing…");
    } else if (other !== undefined) {
      text = fill(gettext("%(one)s and %(other)s are typing…"), { one, other });
    } else if (one !== undefined) {
      text = fill(gettext("%(name)s is typing…"), { name: one });
    }
    this.#line.textContent = text;
  }
}

/** Show who types in `room`, and say so there while `me` does. */
export function prepareTyping(room, streams, me) {
  const typists = new Typists();
  room.addEventListener("typing", ({ detail: { who, for_ms: ms } }) => who.key === me.key || typists.note(who, ms));
  room.addEventListener("messages", ({ detail: { messages, how } }) => {
    if (how === "live") {
      messages.forEach(({ author }) => typists.note(author, 0));
    }
  });
  room.addEventListener("left", () => typists.clear());
  streams.on("presence", ({ type, who, room: name }) => {
    if (type === "leave" && name === room.name) {
      typists.note(who, 0);
    }
  });
  streams.addEventListener("state", () => streams.connected || typists.clear());
  tellOthers(byId("composer-text"), (on) => streams.send("chat", { type: "typing", room: room.name, on }));
}

function tellOthers(text, tell) {
  let told = -Infinity;
  text.addEventListener("input", () => {
    const now = performance.now();
    if (text.value.trim() === "") {
      if (now - told < 2 * AGAIN_MS) {
        tell(false);
      }
      told = -Infinity;
    } else if (now - told >= AGAIN_MS) {
      told = now;
      tell(true);
    }
  });
  // The message itself tells that it has been typed.
  text.form.addEventListener("submit", () => {
    told = -Infinity;
  });
}
