// One socket for all tabs of a browser that belong to the same identity.
//
// One of the tabs leads: it holds a lock, and the socket. The others follow: what they send goes to it over a
// BroadcastChannel, and what comes in goes to all. When the leader closes or crashes, its lock goes to the next tab, for
// which this is like any lost connection: it connects, and everybody joins their rooms with `since`. A leader that is
// going to be frozen gives up beforehand; from one that does not answer a tab which is looked at takes the lead.
// Leading by lock and not by SharedWorker: those are not everywhere, and websocketbridge.js needs a window.

import { Leader } from "./leader.js";

// How often a tab that is looked at asks the leader for a sign of life, and how many may be missing.
const BEAT_MS = 3_000;
const PATIENCE = 3;
// The channel of a tab that is on its own.
const NOBODY = { postMessage() {}, close() {} };

/** Looks like a Socket: the same events, states and methods. */
export class SharedSocket extends EventTarget {
  #path;
  #key;
  #stream;
  #tab;
  #name;
  #Channel = globalThis.BroadcastChannel;
  #channel = null;
  #streams = new Set();
  // The name of the leader, as far as we have heard.
  #leader = null;
  // If that is us: what we lead with, and what gives the lock back.
  #lead = null;
  #release = null;
  #abort = null;
  // Whether somebody wants the socket open who has just come.
  #asked = false;
  #aside = false;
  #silent = 0;
  #lastBeat = 0;
  #timer = 0;
  #due = 0;
  state = { name: "connecting", failures: 0 };

  /** Whether this browser, and this page, can share a socket. */
  static possible(tab) {
    return Boolean(tab.locks && globalThis.BroadcastChannel);
  }

  constructor(path, { key, stream, tab }) {
    super();
    this.#path = path;
    this.#key = key;
    this.#stream = stream;
    this.#tab = tab;
    this.#name = `streams:socket:${[path, key].map(encodeURIComponent).join(":")}`;
  }

  listen(stream) {
    this.#streams.add(stream);
    this.#lead?.socket.listen(stream);
    this.#ask("listen", { stream });
  }

  open() {
    if (this.#channel) {
      this.retry();
    } else {
      this.#asked = true;
      this.#setState({ name: "connecting", failures: 0 });
      this.#enter();
    }
  }

  /** Stop using the socket. It is closed when no other tab does. */
  close() {
    this.#leave();
    this.#setState({ name: "closed", failures: 0, code: 1000 });
  }

  retry() {
    this.#lead ? this.#lead.socket.retry() : this.#ask("retry");
  }

  nudge() {
    this.#lead ? this.#lead.socket.nudge() : this.#ask("nudge");
    this.#beat();
  }

  send(stream, payload) {
    if (this.state.name !== "connected") {
      return false;
    }
    return this.#lead ? this.#lead.send(stream, payload) : this.#ask("send", { stream, payload });
  }

  /** The page is put `aside`, so that another tab must lead if it was us; or it is back, with the state that it knew. */
  putAside(aside) {
    if (aside && this.#channel) {
      this.#aside = true;
      this.#leave();
    } else if (!aside && this.#aside) {
      this.#aside = false;
      this.#enter();
    }
  }

  // --- Belonging ---

  #enter() {
    this.#channel = new this.#Channel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#heard(data);
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    this.#lastBeat = Date.now();
    this.#tab.hold().then(() => this.#hello());
    this.#stand({});
  }

  #leave() {
    clearInterval(this.#timer);
    clearTimeout(this.#due);
    this.#abort?.abort();
    this.#resign();
    this.#post({ kind: "bye" });
    this.#channel?.close();
    this.#channel = this.#leader = null;
    if (this.state.name === "connected") {
      this.#setState({ name: "connecting", failures: 0 });
    }
  }

  /** Wait for the lead, or take it from a tab that does not answer. */
  async #stand(options) {
    this.#abort?.abort();
    const { signal } = (this.#abort = new AbortController());
    try {
      await this.#tab.locks.request(this.#name, options.steal ? options : { signal }, () => {
        return signal.aborted || !this.#channel ? undefined : this.#takeLead();
      });
    } catch (error) {
      if (signal.aborted || !this.#channel) {
        return;
      }
      if (error.name === "AbortError") {
        // Taken from us, since we did not answer.
        this.#resign();
        this.#stand({});
        this.#hello();
      } else {
        console.warn("the socket is not shared:", error.message);
        this.#channel.close();
        this.#channel = NOBODY;
        this.#takeLead();
      }
    }
  }

  /** Lead, and return a promise that lasts as long. */
  #takeLead() {
    this.#leader = this.#tab.id;
    this.#post({ kind: "lead", state: { name: "connecting", failures: 0 } });
    const lead = new Leader({
      path: this.#path,
      key: this.#key,
      stream: this.#stream,
      tab: this.#tab,
      post: (data) => this.#post(data),
      emit: (stream, payload) => this.#emit(stream, payload),
      onState: (state) => this.#setState(state),
    });
    this.#lead = lead;
    for (const stream of this.#streams) {
      lead.socket.listen(stream);
    }
    if (this.#asked) {
      lead.socket.open();
    } else {
      lead.socket.resume(this.state);
    }
    this.#asked = false;
    return new Promise((release) => {
      this.#release = release;
    });
  }

  #resign() {
    const lead = this.#lead;
    this.#lead = this.#leader = null;
    lead?.end();
    this.#release?.();
    this.#release = null;
  }

  // --- Talking to the other tabs ---

  #heard(data) {
    const { kind, from, to } = data;
    if (to !== undefined && to !== this.#tab.id) {
      return;
    }
    if (this.#lead) {
      this.#lead.heard(data);
    } else if (kind === "lead") {
      this.#follow(from, data);
    } else if (from === this.#leader) {
      this.#silent = 0;
      if (kind === "state") {
        this.#setState(data.state);
      } else if (kind === "frame") {
        this.#emit(data.stream, data.payload);
      } else if (kind === "bye") {
        this.#leader = null;
      }
    }
  }

  #follow(leader, { state, welcome, to }) {
    this.#leader = leader;
    this.#silent = 0;
    this.#asked = false;
    if (to === undefined) {
      this.#ask("here", { streams: [...this.#streams] });
    }
    this.#setState(state);
    if (welcome) {
      this.#emit("system", welcome);
    }
  }

  #hello() {
    if (!this.#lead) {
      this.#post({ kind: "hello", streams: [...this.#streams], open: this.#asked });
    }
  }

  /** See whether there is a leader: for those who look, and as long as they do. */
  #beat() {
    const now = Date.now();
    const late = now - this.#lastBeat > 2 * BEAT_MS;
    this.#lastBeat = now;
    if (!this.#channel || this.#lead || late || globalThis.document?.hidden) {
      this.#silent = 0;
    } else if (this.#silent > PATIENCE) {
      this.#silent = 0;
      this.#stand({ steal: true });
      return;
    } else {
      this.#silent += 1;
    }
    if (this.#channel && !this.#lead) {
      this.#leader ? this.#ask("beat") : this.#hello();
    }
  }

  /** Say something to the leader; return whether there is one. */
  #ask(kind, more) {
    return this.#leader !== null && !this.#lead && this.#post({ kind, to: this.#leader, ...more });
  }

  #post(data) {
    this.#channel?.postMessage({ from: this.#tab.id, ...data });
    return true;
  }

  #emit(stream, payload) {
    this.dispatchEvent(new CustomEvent("frame", { detail: { stream, payload } }));
  }

  #setState(state) {
    clearTimeout(this.#due);
    if (state.name === "waiting" && !this.#lead) {
      // The leader's own timer is late where nobody looks at it.
      this.#due = setTimeout(() => this.#beat(), Math.max(0, state.until - Date.now()));
    }
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
