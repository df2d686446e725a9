// The tab that has the socket, and what it does for the others.

import { Hub } from "./hub.js";
import { Socket } from "./socket.js";

export class Leader {
  #tab;
  #post;
  #emit;
  #hub;
  #followers = new Set();
  #over = new AbortController();
  socket;

  /**
   * `tab` is our own; `post(data)` tells all others, or the one named by `to`; `emit(stream, payload)` is for what our
   * own tab is to hear, as is `onState(state)`.
   */
  constructor({ path, key, stream, tab, post, emit, onState }) {
    this.#tab = tab;
    this.#post = post;
    this.#emit = emit;
    this.socket = new Socket(path, { key });
    this.#hub = new Hub(this.socket, { stream, deliver: (...what) => this.#deliver(...what) });
    this.socket.addEventListener("state", ({ detail }) => {
      if (!this.#over.signal.aborted) {
        post({ kind: "state", state: detail });
        onState(detail);
      }
    });
  }

  /** Send a payload of our own tab. */
  send(stream, payload) {
    return this.#hub.send(this.#tab.id, stream, payload);
  }

  /** Close the socket; nobody hears of it from us. */
  end() {
    this.#over.abort();
    this.socket.close();
  }

  /** Take in what another tab said. */
  heard({ kind, from, ...data }) {
    const { socket } = this;
    if (kind === "hello") {
      this.#meet(from, data.streams);
      if (data.open && socket.state.name === "closed") {
        // Somebody has just opened a page: whatever closed the socket may be over.
        socket.open();
      }
      this.#post({ kind: "lead", to: from, state: socket.state, welcome: this.#hub.welcome });
    } else if (kind === "here") {
      this.#meet(from, data.streams);
    } else if (kind === "listen") {
      socket.listen(data.stream);
    } else if (kind === "send") {
      this.#hub.send(from, data.stream, data.payload);
    } else if (kind === "retry") {
      socket.retry();
    } else if (kind === "nudge") {
      socket.nudge();
    } else if (kind === "beat") {
      socket.tick();
      this.#post({ kind: "alive", to: from });
    } else if (kind === "bye") {
      this.#part(from);
    }
  }

  /** Have a tab follow, until it is gone. */
  #meet(tab, streams) {
    for (const stream of streams) {
      this.socket.listen(stream);
    }
    if (!this.#followers.has(tab)) {
      this.#followers.add(tab);
      this.#tab.whenGone(tab, () => this.#part(tab), this.#over.signal);
    }
  }

  #part(tab) {
    this.#followers.delete(tab);
    this.#hub.gone(tab);
  }

  #deliver(tab, stream, payload) {
    const own = tab === this.#tab.id;
    if (!own && this.#followers.size > 0) {
      this.#post({ kind: "frame", to: tab ?? undefined, stream, payload });
    }
    if (own || tab === null) {
      this.#emit(stream, payload);
    }
  }
}
