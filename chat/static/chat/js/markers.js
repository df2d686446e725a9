// How far one has read: kept by the server for people with an account, in the browser for guests.

import { csrfToken, urlFor } from "./config.js";
import { load, save } from "./storage.js";

const WRITE_MS = 800;

class BrowserMarkers {
  #key;

  constructor(me) {
    this.#key = `chat:read:${me.key}`;
  }

  /** Return the number up to which a room has been read. A room seen for the first time counts as read. */
  start({ id, last_seq: last }) {
    const known = this.#load()[id];
    if (known === undefined) {
      this.move({ id }, last);
    }
    return known ?? last;
  }

  move({ id }, seq) {
    const markers = this.#load();
    if (!(markers[id] >= seq)) {
      save("localStorage", this.#key, { ...markers, [id]: seq });
    }
  }

  #load() {
    return load("localStorage", this.#key) ?? {};
  }
}

class ServerMarkers {
  #timer = 0;

  start({ last_seq: last, unread }) {
    return last - (unread ?? 0);
  }

  move({ slug }, seq) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#post(slug, seq), WRITE_MS);
  }

  async #post(slug, seq) {
    const body = new URLSearchParams({ seq, csrfmiddlewaretoken: csrfToken() });
    try {
      const response = await fetch(urlFor("read", slug), { method: "POST", body, keepalive: true });
      if (!response.ok) {
        console.warn("the read marker was not stored:", response.status);
      }
    } catch (error) {
      // The next message moves the marker beyond this one.
      console.info("the read marker was not stored:", error.message);
    }
  }
}

export const markersOf = (me) => (me.guest ? new BrowserMarkers(me) : new ServerMarkers());
