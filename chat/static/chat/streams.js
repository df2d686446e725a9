// The browser's side of the streams protocol (docs/streams.md): one socket, many conversations, nothing lost.
//
// Needs Channels' websocketbridge.js, a classic script, to be loaded before. How to use it: docs/browser.md.

import { newId } from "./streams/ids.js";
import { Requests } from "./streams/requests.js";
import { Room } from "./streams/room.js";
import { SharedSocket } from "./streams/sharing.js";
import { Socket } from "./streams/socket.js";
import { Store } from "./streams/store.js";
import { Tab } from "./streams/tab.js";

export { newId };

/**
 * Events: `state` (detail: {name, failures, until, code, advised, identity}, see streams/socket.js), `welcome` (detail:
 * the server's payload), also after each reconnect.
 */
export class Streams extends EventTarget {
  #path;
  #line;
  #outbox;
  #stream;
  #tab = new Tab();
  #handlers = new Map();
  #rooms = new Map();
  #requests = new Requests((stream, payload) => this.send(stream, payload));
  /** The key of the identity that this page belongs to; null until it is known. */
  key;

  /**
   * `path` is that of the socket. `identity` is the key of who the page belongs to, where it knows: without it the first
   * welcome tells, and the socket is not shared. `shared: false` makes a socket for this tab alone, `outbox: false` keeps
   * nothing over a reload. `stream` carries the rooms.
   */
  constructor(path, { identity = null, shared = true, outbox = true, stream = "chat" } = {}) {
    super();
    this.#path = path;
    this.#outbox = outbox;
    this.#stream = stream;
    this.key = identity;
    const options = { key: identity, stream, tab: this.#tab };
    const together = shared && identity !== null && SharedSocket.possible(this.#tab);
    this.#line = together ? new SharedSocket(path, options) : new Socket(path, options);
    this.#line.listen("system");
    this.#line.listen(stream);
    this.#line.addEventListener("state", ({ detail }) => this.#changed(detail));
    this.#line.addEventListener("frame", ({ detail }) => this.#receive(detail.stream, detail.payload));
    this.#watchPage();
  }

  get state() {
    return this.#line.state;
  }

  get connected() {
    return this.state.name === "connected";
  }

  open() {
    this.#line.open();
  }

  close() {
    this.#line.close();
  }

  /** Try again now, if there is something to try. */
  retry() {
    this.#line.retry();
  }

  /** Call `handler(payload)` with every payload of a stream; return a function that ends that. */
  on(stream, handler) {
    const handlers = this.#handlers.get(stream) ?? new Set();
    this.#handlers.set(stream, handlers.add(handler));
    this.#line.listen(stream);
    return () => handlers.delete(handler);
  }

  /** Send a payload and return true, or return false when there is no connection. Nobody knows whether it arrived. */
  send(stream, payload) {
    return this.#line.send(stream, payload);
  }

  /**
   * Send a payload and return the promise of its answer; rejected with {code, reason, retry_after_ms}.
   *
   * It is sent again when no answer comes. The code is `disconnected` when there is no connection or it was lost, and
   * `timeout` when nobody answered; else it is the server's.
   */
  request(stream, payload) {
    return this.#requests.make(stream, payload);
  }

  /** Return a room: joined as soon as may be, and again after each reconnect. Twice the same name is the same room. */
  join(name) {
    const known = this.#rooms.get(name);
    if (known) {
      return known;
    }
    const room = new Room(this, name, { stream: this.#stream, tab: this.#tab });
    this.#rooms.set(name, room);
    // Later, so that whoever joins can listen first.
    queueMicrotask(() => {
      this.#keep(room);
      if (this.connected) {
        room.enter();
      }
    });
    return room;
  }

  /** Called by a room that has been left. */
  forget(room) {
    this.#rooms.delete(room.name);
  }

  #watchPage() {
    this.#tab.hold();
    addEventListener("online", () => this.#line.nudge());
    document.addEventListener("visibilitychange", () => document.hidden || this.#line.nudge());
    addEventListener("pagehide", () => this.#putAside(true));
    document.addEventListener("freeze", () => this.#putAside(true));
    addEventListener("pageshow", ({ persisted }) => persisted && this.#putAside(false));
    document.addEventListener("resume", () => this.#putAside(false));
  }

  /** A page that does not run must not keep anything from those that do. */
  #putAside(aside) {
    aside ? this.#tab.release() : this.#tab.hold();
    this.#line.putAside?.(aside);
    for (const room of this.#rooms.values()) {
      room.putAside(aside);
    }
  }

  #changed(state) {
    if (state.name !== "connected") {
      this.#requests.lost();
      for (const room of this.#rooms.values()) {
        room.lost();
      }
    }
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #receive(stream, payload) {
    if (this.#requests.receive(stream, payload)) {
      return;
    }
    if (stream === "system") {
      this.#system(payload);
    } else if (stream === this.#stream) {
      this.#rooms.get(payload.room)?.receive(payload);
    }
    for (const handler of this.#handlers.get(stream) ?? []) {
      handler(payload);
    }
  }

  #system(payload) {
    if (payload.type === "welcome") {
      this.#welcome(payload);
    } else if (payload.type === "pong" && payload.heads) {
      for (const room of this.#rooms.values()) {
        room.beat(payload.heads[room.name]);
      }
    }
  }

  #welcome(payload) {
    if (this.key === null) {
      this.key = payload.identity.key;
      for (const room of this.#rooms.values()) {
        this.#keep(room);
      }
    }
    this.dispatchEvent(new CustomEvent("welcome", { detail: payload }));
    for (const room of this.#rooms.values()) {
      room.enter();
    }
  }

  /** Keep what is not sent in a room, as far as we know whose it is. */
  #keep(room) {
    if (this.#outbox && this.key !== null) {
      room.keep(new Store(this.#path, this.key, room.name));
    }
  }
}
