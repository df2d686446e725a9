// The socket: Channels' WebSocketBridge, with a state to show, answers to requests, and a heartbeat.
//
// The bridge's own retries are switched off. It does not tell when the next one is due, and the timer that limits a
// handshake is not stopped when that handshake fails early: it then closes the connection which came after it.

const OPTIONS = { maxRetries: 0, connectionTimeout: 10_000 };
// Seconds before the first retry are drawn from 0.5 to the first bound, which doubles up to the second.
const RETRY = { least: 0.5, first: 2, most: 20 };
const WELCOME_MS = 10_000;
const ANSWER_MS = 8_000;
const ATTEMPTS = 3;
// Heartbeats in a row without a sign of life. A restart of the workers delays one, and must not cost the connection.
const SILENT_BEATS = 2;
// channels_lts/close_codes.py: closed on purpose, not understood, by an administrator, no longer allowed.
const FINAL = new Set([1000, 1002, 1007, 4001, 4003]);
const ANSWERS = new Set(["ack", "error", "history", "joined", "left", "pong", "create", "update"]);

/** Return a name for a request or a message that nobody else will choose. */
export function newId() {
  // crypto.randomUUID is missing where the page came over plain HTTP.
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return a time that everybody draws for themselves, so that not all come at once. */
function between(least, most) {
  return least + Math.random() * (most - least);
}

/**
 * Events: `state` (detail: {name, until, failures, code, advised}), `welcome` (detail: its payload).
 * States: connecting, connected, waiting (until `until`, a time in ms), closed (for good, with `code`). `advised` means
 * that the server has told us beforehand: it restarts and wants us back, or it does not.
 */
export class Connection extends EventTarget {
  #path;
  #bridge = null;
  #handlers = {};
  #requests = new Map();
  #failures = 0;
  #timer = 0;
  #heartbeat = 0;
  #silent = 0;
  // What the server said before it closed: {reconnect, after_ms}.
  #advice = null;
  state = { name: "connecting", failures: 0 };

  constructor(path) {
    super();
    this.#path = path;
    addEventListener("online", () => this.#beatOrRetry());
    // Timers of a hidden page, or of a computer that slept, are late.
    document.addEventListener("visibilitychange", () => document.hidden || this.#beatOrRetry());
  }

  get connected() {
    return this.state.name === "connected";
  }

  /** Call `handler` with every payload of a stream. */
  on(stream, handler) {
    this.#handlers[stream] = handler;
  }

  open() {
    clearTimeout(this.#timer);
    this.#setState({ name: "connecting", failures: this.#failures });
    const bridge = new globalThis.channels.WebSocketBridge();
    this.#bridge = bridge;
    bridge.connect(this.#path, undefined, OPTIONS);
    bridge.listen();
    for (const stream of ["system", ...Object.keys(this.#handlers)]) {
      bridge.demultiplex(stream, (payload) => bridge === this.#bridge && this.#receive(stream, payload));
    }
    bridge.socket.addEventListener("close", ({ code }) => bridge === this.#bridge && this.#closed(code));
    // Open is not enough: the welcome says that a worker has let us in, and that what we send now has its session.
    this.#timer = setTimeout(() => this.#drop(), WELCOME_MS + OPTIONS.connectionTimeout);
  }

  /** Try again now, if there is something to try. */
  retry() {
    if (this.state.name === "waiting" || this.state.name === "closed") {
      this.open();
    }
  }

  /** Send a payload and return true, or return false when there is no connection. */
  send(stream, payload) {
    if (!this.connected) {
      return false;
    }
    this.#bridge.stream(stream).send(payload);
    return true;
  }

  /**
   * Send a payload under an id and return the promise of its answer.
   *
   * It is sent again when no answer comes, so the server must know a repetition by its id, or not mind one. Rejected
   * with the error payload, or with the code `disconnected` or `timeout`.
   */
  request(stream, payload) {
    const id = payload.id ?? newId();
    return new Promise((resolve, reject) => {
      let sent = 0;
      const attempt = () => {
        if (sent === ATTEMPTS) {
          this.#finish(id)?.reject({ code: "timeout" });
        } else if (this.send(stream, { ...payload, id })) {
          sent += 1;
          this.#requests.get(id).timer = setTimeout(attempt, ANSWER_MS);
        } else {
          this.#finish(id)?.reject({ code: "disconnected" });
        }
      };
      this.#requests.set(id, { resolve, reject, timer: 0 });
      attempt();
    });
  }

  #receive(stream, payload) {
    this.#silent = 0;
    if (stream === "system" && payload.type === "welcome") {
      this.#welcome(payload);
    } else if (stream === "system" && payload.type === "disconnect") {
      this.#advice = payload;
    }
    if (payload.id !== undefined && ANSWERS.has(payload.type)) {
      const request = this.#finish(payload.id);
      if (request && payload.type === "error") {
        request.reject(payload);
        return;
      }
      request?.resolve(payload);
    }
    this.#handlers[stream]?.(payload);
  }

  #welcome(payload) {
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#silent = 0;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#beat(), payload.heartbeat * 1000);
    this.#setState({ name: "connected", failures: 0 });
    this.dispatchEvent(new CustomEvent("welcome", { detail: payload }));
  }

  #beat() {
    if (this.#silent >= SILENT_BEATS) {
      this.#drop();
    } else if (this.send("system", { type: "ping" })) {
      this.#silent += 1;
    }
  }

  #beatOrRetry() {
    if (this.connected) {
      this.send("system", { type: "ping" });
    } else if (this.state.name === "waiting" && !(this.state.advised && Date.now() < this.state.until)) {
      this.retry();
    }
  }

  /** Give up a connection that nothing comes from. */
  #drop() {
    const { socket } = this.#bridge;
    this.#closed(1006);
    socket.close(1000, "", { keepClosed: true });
  }

  #closed(code) {
    const advice = this.#advice;
    this.#bridge = this.#advice = null;
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    for (const id of [...this.#requests.keys()]) {
      this.#finish(id).reject({ code: "disconnected" });
    }
    const unwanted = advice?.reconnect === false;
    if (FINAL.has(code) || unwanted) {
      this.#setState({ name: "closed", failures: this.#failures, code, advised: unwanted });
      return;
    }
    const delay = advice?.after_ms ? between(...advice.after_ms) : this.#backOff();
    this.#timer = setTimeout(() => this.open(), delay);
    this.#setState({ name: "waiting", until: Date.now() + delay, failures: this.#failures, code, advised: Boolean(advice) });
  }

  /** Count a failure and return how many milliseconds to wait after it. */
  #backOff() {
    const bound = Math.min(RETRY.first * 2 ** this.#failures, RETRY.most);
    this.#failures += 1;
    return between(RETRY.least * 1000, bound * 1000);
  }

  #finish(id) {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  #setState(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
