// One socket for several tabs: each gets the answers to its own requests, and everybody what the server says by itself.
//
// The socket is in a room as long as one of the tabs is.

import { newId } from "./ids.js";

// How long those who join a room wait for the answer to leaving it.
const LEAVE_MS = 3_000;

export class Hub {
  #socket;
  #stream;
  #deliver;
  // Which tab asked, by stream and id of the request.
  #asked = new Map();
  #rooms = new Map();
  // The requests to leave rooms that are not answered yet, and the joins that wait for that: workers may swap frames.
  #leaving = new Map();
  /** The welcome of this connection. */
  welcome = null;

  /** `deliver(tab, stream, payload)` passes a payload on; to all where `tab` is null. `stream` carries the rooms. */
  constructor(socket, { stream, deliver }) {
    this.#socket = socket;
    this.#stream = stream;
    this.#deliver = deliver;
    socket.addEventListener("state", ({ detail }) => detail.name === "connected" || this.#lost());
    socket.addEventListener("frame", ({ detail }) => this.#receive(detail.stream, detail.payload));
  }

  /** Send a payload of a tab; return false when there is no connection. */
  send(tab, stream, payload) {
    if (this.#socket.state.name !== "connected") {
      return false;
    }
    if (payload.id !== undefined) {
      this.#asked.set(`${stream} ${payload.id}`, tab);
    }
    if (stream === this.#stream && payload.type === "join") {
      return this.#join(tab, payload);
    }
    if (stream === this.#stream && payload.type === "leave") {
      return this.#leave(tab, payload);
    }
    return this.#socket.send(stream, payload);
  }

  /** A tab is gone: it leaves all its rooms. */
  gone(tab) {
    for (const [room, tabs] of this.#rooms) {
      if (tabs.has(tab)) {
        this.#leave(tab, { type: "leave", id: newId(), room });
      }
    }
  }

  #join(tab, payload) {
    const { room } = payload;
    this.#rooms.set(room, (this.#rooms.get(room) ?? new Set()).add(tab));
    const leaving = this.#leaving.get(room);
    if (leaving) {
      leaving.held.push(payload);
      return true;
    }
    return this.#socket.send(this.#stream, payload);
  }

  #leave(tab, payload) {
    const { room, id } = payload;
    const tabs = this.#rooms.get(room) ?? new Set();
    tabs.delete(tab);
    if (tabs.size > 0) {
      this.#asked.delete(`${this.#stream} ${id}`);
      this.#deliver(tab, this.#stream, { type: "left", room, id });
      return true;
    }
    this.#rooms.delete(room);
    const before = this.#leaving.get(room);
    clearTimeout(before?.timer);
    const timer = setTimeout(() => this.#hasLeft(id), LEAVE_MS);
    this.#leaving.set(room, { id, timer, held: before?.held ?? [] });
    return this.#socket.send(this.#stream, payload);
  }

  #receive(stream, payload) {
    if (stream === "system" && payload.type === "welcome") {
      this.welcome = payload;
    } else if (stream === "system" && payload.type === "pong") {
      this.#leaveAgain(Object.keys(payload.heads ?? {}));
    }
    const tab = payload.type === "message" ? undefined : this.#whoAsked(stream, payload.id);
    // An answer that came twice is nobody's; an error without a name may be anybody's.
    if (tab === undefined && payload.type === "error" && payload.id !== undefined) {
      return;
    }
    this.#deliver(tab ?? null, stream, payload);
    if (stream === this.#stream && payload.id !== undefined) {
      this.#hasLeft(payload.id);
    } else if (stream === this.#stream && payload.type === "left") {
      this.#rooms.delete(payload.room);
    }
  }

  #whoAsked(stream, id) {
    const name = `${stream} ${id}`;
    const tab = this.#asked.get(name);
    this.#asked.delete(name);
    return tab;
  }

  /** Let those join who had to wait, if this is the answer to leaving their room. */
  #hasLeft(id) {
    for (const [room, leaving] of this.#leaving) {
      if (leaving.id === id) {
        clearTimeout(leaving.timer);
        this.#leaving.delete(room);
        for (const payload of leaving.held) {
          this.#socket.send(this.#stream, payload);
        }
      }
    }
  }

  /** Leave those of `rooms`, in which the server sees us, that no tab is in: what we said got lost. */
  #leaveAgain(rooms) {
    for (const room of rooms) {
      if (!this.#rooms.has(room) && !this.#leaving.has(room)) {
        this.#leave(null, { type: "leave", id: newId(), room });
      }
    }
  }

  #lost() {
    this.welcome = null;
    this.#asked.clear();
    this.#rooms.clear();
    for (const { timer } of this.#leaving.values()) {
      clearTimeout(timer);
    }
    this.#leaving.clear();
  }
}
