// A server that speaks the streams protocol with numbered logs, behind a double of Channels' WebSocketBridge.
//
// Frames take their time, and may get lost, come twice or overtake each other.

const RECOVER_MOST = 200;
const LATENCY = 10;

class Room {
  epoch;
  revision = 0;
  entries = [];
  byId = new Map();

  constructor(epoch) {
    this.epoch = epoch;
  }
}

export class Server {
  sockets = new Set();
  rooms = new Map();
  /** Every payload that came in, in the order in which it was served: [socket, stream, payload]. */
  heard = [];
  connections = 0;
  down = false;
  /** Returns an error for a payload that is refused, or nothing. */
  refuse = () => null;
  /** Returns how many milliseconds each copy of a frame takes, for the `direction` "in" or "out"; none: it is lost. */
  travel = () => [LATENCY];

  room(name) {
    if (!this.rooms.has(name)) {
      this.rooms.set(name, new Room(`epoch of ${name}`));
    }
    return this.rooms.get(name);
  }

  /** Return the bodies of what is stored in a room. */
  bodies(name) {
    return this.room(name).entries.map(({ body }) => body);
  }

  /** Return the double of WebSocketBridge for one tab. */
  bridgeFor(browser, tab) {
    const server = this;
    return class Bridge {
      #handlers = {};

      connect() {
        this.socket = new Socket(server, browser, tab, (stream, payload) => this.#handlers[stream]?.(payload, stream));
      }

      listen() {}

      demultiplex(stream, handler) {
        this.#handlers[stream] = handler;
      }

      stream(name) {
        return { send: (payload) => this.socket.transmit(name, payload) };
      }
    };
  }

  /** Close every socket with `code`, as a server that ends. */
  closeAll(code = 1006) {
    for (const socket of [...this.sockets]) {
      socket.shut(code);
    }
  }

  tabGone(tab) {
    for (const socket of [...this.sockets]) {
      if (socket.tab === tab) {
        this.sockets.delete(socket);
      }
    }
  }

  /** Say something to all who are in a room. */
  tell(name, payload) {
    for (const socket of this.sockets) {
      if (socket.rooms.has(name)) {
        socket.say("chat", { room: name, ...payload });
      }
    }
  }

  post(name, { id, body, author }) {
    const room = this.room(name);
    const known = room.byId.get(`${author} ${id}`);
    if (known) {
      return { seq: known.seq, dup: true };
    }
    const entry = { room: name, seq: room.entries.length + 1, id, author: { key: author }, body, revision: 0 };
    room.entries.push(entry);
    room.byId.set(`${author} ${id}`, entry);
    this.tell(name, { type: "message", ...structuredClone(entry) });
    return { seq: entry.seq, dup: false };
  }

  edit(name, seq, body) {
    const room = this.room(name);
    room.revision += 1;
    Object.assign(room.entries[seq - 1], { body, revision: room.revision });
    this.tell(name, { type: "changed", revision: room.revision, message: structuredClone(room.entries[seq - 1]) });
  }

  serve(socket, stream, payload) {
    this.heard.push([socket, stream, payload]);
    const answer = (type, fields) => socket.say(stream, { type, id: payload.id, ...structuredClone(fields) });
    const error = this.refuse(payload, socket);
    if (error) {
      answer("error", error);
    } else if (stream === "system" && payload.type === "ping") {
      const heads = [...socket.rooms].map((name) => [name, this.#head(this.room(name))]);
      answer("pong", { heads: Object.fromEntries(heads) });
    } else if (payload.type === "join") {
      this.#join(socket, payload, answer);
    } else if (payload.type === "leave") {
      socket.rooms.delete(payload.room);
      answer("left", { room: payload.room });
    } else if (payload.type === "send") {
      const stored = this.post(payload.room, { ...payload, author: socket.key });
      answer("ack", { room: payload.room, ...stored });
    } else if (payload.type === "history") {
      this.#history(payload, answer);
    } else {
      answer("error", { code: "unknown_type", reason: "never heard of it" });
    }
  }

  #head({ entries, revision }) {
    return { seq: entries.length, revision };
  }

  #join(socket, { room: name, since }, answer) {
    const room = this.room(name);
    socket.rooms.add(name);
    const { entries, epoch, revision } = room;
    const missed = entries.length - (since?.seq ?? 0);
    const recovered = Boolean(since) && since.epoch === epoch && missed >= 0 && missed <= RECOVER_MOST;
    const changed = recovered ? entries.filter((entry) => entry.revision > since.revision && entry.seq <= since.seq) : [];
    const messages = recovered ? entries.slice(since.seq) : entries.slice(-50);
    answer("joined", { room: name, epoch, revision, seq: entries.length, recovered, messages, changed, members: [] });
  }

  #history({ room: name, before, after, around, limit = 50 }, answer) {
    const { entries } = this.room(name);
    let end = Math.min(entries.length, (before ?? entries.length + 1) - 1);
    if (after !== undefined) {
      end = Math.min(entries.length, after + limit);
    } else if (around !== undefined) {
      end = Math.min(entries.length, around + Math.floor(limit / 2));
    }
    const begin = Math.max(0, after ?? 0, end - limit);
    answer("history", { room: name, messages: entries.slice(begin, end), more: begin > 0, newer: end < entries.length });
  }
}

/** Both ends of a WebSocket: the browser's is the one that the bridge shows. */
class Socket extends EventTarget {
  #server;
  #receive;
  #open = true;
  rooms = new Set();

  constructor(server, browser, tab, receive) {
    super();
    this.#server = server;
    this.#receive = receive;
    this.tab = tab;
    this.key = browser.key;
    server.connections += 1;
    if (server.down) {
      setTimeout(() => this.shut(1006), LATENCY);
      return;
    }
    server.sockets.add(this);
    setTimeout(() => this.say("system", { type: "welcome", identity: { key: this.key }, heartbeat: 25 }, true), LATENCY);
  }

  /** Called by the browser. */
  transmit(stream, payload) {
    const frame = JSON.stringify(payload);
    for (const delay of this.#server.travel("in", stream, payload)) {
      setTimeout(() => this.#alive() && this.#server.serve(this, stream, JSON.parse(frame)), delay);
    }
  }

  /** Called by the server; `surely` by a line without faults. */
  say(stream, payload, surely = false) {
    const frame = JSON.stringify(payload);
    for (const delay of surely ? [LATENCY] : this.#server.travel("out", stream, payload)) {
      setTimeout(() => this.#alive() && this.tab.whenRunning(() => this.#open && this.#receive(stream, JSON.parse(frame))), delay);
    }
  }

  /** The connection ends, and the browser hears of it. */
  shut(code) {
    this.#server.sockets.delete(this);
    if (this.#open) {
      this.#open = false;
      this.tab.whenRunning(() => this.dispatchEvent(Object.assign(new Event("close"), { code })));
    }
  }

  /** Called by the browser. */
  close() {
    this.shut(1000);
  }

  #alive() {
    return this.#open && this.#server.sockets.has(this);
  }
}
