// One socket: Channels' WebSocketBridge, with a state to show, a heartbeat, and the reconnect.
//
// The bridge's own retries are switched off. It does not tell when the next one is due, and the timer that limits a
// handshake is not stopped when that handshake fails early: it then closes the connection which came after it.

import { between } from "./ids.js";

const OPTIONS = { maxRetries: 0, connectionTimeout: 10_000 };
// Seconds before a retry are drawn from 0.5 to a bound, which doubles from the first to the last.
const RETRY = { least: 0.5, first: 2, most: 20 };
const WELCOME_MS = 10_000;
// A connection that stood for less does not make up for the failures before it.
const STEADY_MS = 10_000;
// Heartbeats in a row without a sign of life. A restart of the workers delays one, and must not cost the connection.
const SILENT_BEATS = 2;
// channels_lts/close_codes.py: closed on purpose, not understood, by an administrator, no longer allowed.
const FINAL = new Set([1000, 1002, 1007, 4001, 4003]);

/**
 * Events: `state` (detail: the state), `frame` (detail: {stream, payload}).
 *
 * A state is {name, failures, until, code, advised, identity}: connecting; connected; waiting (until `until`, a time in
 * ms); closed (for good). `code` is that of the WebSocket. `advised` means that the server told us beforehand: it
 * restarts and wants us back, or it does not. `identity` is whom the server took us for, where that is somebody else
 * than before: then the socket is closed, for what is sent on it would be said by another.
 */
export class Socket extends EventTarget {
  #path;
  #key;
  #bridge = null;
  #streams = new Set(["system"]);
  #failures = 0;
  #since = 0;
  // The one thing that is to happen later: {at, run, timer}.
  #due = null;
  #heartbeat = 0;
  #silent = 0;
  // What the server said before it closed: {reconnect, after_ms}.
  #advice = null;
  state = { name: "connecting", failures: 0 };

  /** `key` is the key of the identity that the page belongs to; without it, of the one that is welcomed first. */
  constructor(path, { key = null } = {}) {
    super();
    this.#path = path;
    this.#key = key;
  }

  /** Hear the payloads of a stream. */
  listen(stream) {
    this.#streams.add(stream);
    this.#demultiplex(stream);
  }

  open() {
    this.#later(null);
    this.#setState({ name: "connecting", failures: this.#failures });
    const bridge = new globalThis.channels.WebSocketBridge();
    this.#bridge = bridge;
    this.#advice = null;
    bridge.connect(this.#path, undefined, OPTIONS);
    bridge.listen();
    for (const stream of this.#streams) {
      this.#demultiplex(stream);
    }
    bridge.socket.addEventListener("close", ({ code }) => bridge === this.#bridge && this.#closed(code));
    // Open is not enough: the welcome says that a worker has let us in, and that what we send now has its session.
    this.#later(WELCOME_MS + OPTIONS.connectionTimeout, () => this.#drop(1006));
  }

  /** Go on from the state that another socket was in: do not connect sooner than it would have. */
  resume(state) {
    this.#failures = state.failures;
    if (state.name === "closed") {
      this.#setState(state);
    } else if (state.name === "waiting" && state.until > Date.now()) {
      this.#later(state.until - Date.now(), () => this.open());
      this.#setState(state);
    } else {
      this.open();
    }
  }

  /** Close for good, until somebody opens it again. */
  close() {
    if (this.#bridge) {
      this.#drop(1000);
    } else {
      this.#later(null);
      this.#setState({ name: "closed", failures: this.#failures, code: 1000 });
    }
  }

  /** Try again now, if there is something to try. */
  retry() {
    if (this.state.name === "waiting" || this.state.name === "closed") {
      this.open();
    }
  }

  /** See whether the connection is well, or try again: the network is back, or somebody looks at the page. */
  nudge() {
    if (this.state.name === "connected") {
      this.send("system", { type: "ping" });
    } else if (this.state.name === "waiting" && !(this.state.advised && Date.now() < this.state.until)) {
      this.retry();
    }
  }

  /** Do what should have been done: timers of a hidden page are late, and others may depend on it. */
  tick() {
    if (this.#due && Date.now() >= this.#due.at) {
      this.#due.run();
    }
  }

  /** Send a payload and return true, or return false when there is no connection. */
  send(stream, payload) {
    if (this.state.name !== "connected") {
      return false;
    }
    this.#bridge.stream(stream).send(payload);
    return true;
  }

  #demultiplex(stream) {
    const bridge = this.#bridge;
    bridge?.demultiplex(stream, (payload) => bridge === this.#bridge && this.#receive(stream, payload));
  }

  #receive(stream, payload) {
    this.#silent = 0;
    if (stream === "system" && payload.type === "welcome" && !this.#welcome(payload)) {
      return;
    }
    if (stream === "system" && payload.type === "disconnect") {
      this.#advice = payload;
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: { stream, payload } }));
  }

  #welcome({ identity, heartbeat }) {
    this.#key ??= identity.key;
    if (identity.key !== this.#key) {
      this.#drop(1000, { identity });
      return false;
    }
    this.#later(null);
    this.#since = Date.now();
    this.#silent = 0;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#beat(), heartbeat * 1000);
    this.#setState({ name: "connected", failures: 0 });
    return true;
  }

  #beat() {
    if (this.#silent >= SILENT_BEATS) {
      this.#drop(1006);
    } else if (this.send("system", { type: "ping" })) {
      this.#silent += 1;
    }
  }

  /** Give up the connection, as if it had been closed with `code`. */
  #drop(code, more) {
    const { socket } = this.#bridge;
    this.#closed(code, more);
    socket.close(1000, "", { keepClosed: true });
  }

  #closed(code, more = {}) {
    const advice = this.#advice;
    if (this.state.name === "connected" && Date.now() - this.#since >= STEADY_MS) {
      this.#failures = 0;
    }
    this.#bridge = this.#advice = null;
    this.#later(null);
    clearInterval(this.#heartbeat);
    const unwanted = advice?.reconnect === false;
    if (FINAL.has(code) || unwanted) {
      this.#setState({ name: "closed", failures: this.#failures, code, advised: unwanted, ...more });
      return;
    }
    const delay = advice?.after_ms ? between(...advice.after_ms) : this.#backOff();
    this.#later(delay, () => this.open());
    const until = Date.now() + delay;
    this.#setState({ name: "waiting", until, failures: this.#failures, code, advised: Boolean(advice) });
  }

  /** Count a failure and return how many milliseconds to wait after it. */
  #backOff() {
    const bound = Math.min(RETRY.first * 2 ** this.#failures, RETRY.most);
    this.#failures += 1;
    return between(RETRY.least * 1000, bound * 1000);
  }

  #later(delay, run) {
    clearTimeout(this.#due?.timer);
    this.#due = delay === null ? null : { at: Date.now() + delay, run, timer: setTimeout(run, delay) };
  }

  #setState(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
