// What was written in one room and is not stored yet: sent in order, one at a time, until each is.
//
// One at a time, because several workers serve one socket: two frames that are under way together may be stored in
// either order. Sent again under the same id, so that the server stores each once.

import { newId } from "./ids.js";

// What was written longer ago may no longer be meant.
const FRESH_MS = 24 * 3_600_000;

/** A message is {id, body, at, state, error}; `at` is when it was written, in ms. */
export class Outbox {
  #transmit;
  #tell;
  #store = null;
  #owner;
  #entries = new Map();
  #ready = false;
  #running = false;
  #pause = null;
  #latest = 0;

  /**
   * `transmit(entry)` returns the promise of the server's `ack`; `tell(entry)` hears of every change of state.
   * `owner` is the name of this tab.
   */
  constructor({ transmit, tell, owner }) {
    this.#transmit = transmit;
    this.#tell = tell;
    this.#owner = owner;
  }

  /** The messages that are not stored, oldest first. */
  get entries() {
    return [...this.#entries.values()].map((entry) => this.#shown(entry));
  }

  has(id) {
    return this.#entries.has(id);
  }

  /** Keep the messages in `store` from now on, and what waits here already. */
  keepIn(store) {
    this.#store = store;
    for (const entry of this.#entries.values()) {
      this.#save(entry);
    }
  }

  /** Take over messages that another page left. What is old is not sent without being asked for. */
  adopt(messages) {
    for (const { id, body, at, ...kept } of messages) {
      if (this.#entries.has(id)) {
        continue;
      }
      const error = kept.error ?? (Date.now() - at > FRESH_MS ? { code: "expired" } : undefined);
      const entry = this.#enter({ id, body, at, error, state: error ? "failed" : "waiting" });
      this.#latest = Math.max(this.#latest, at);
      this.#save(entry);
      this.#tell(this.#shown(entry));
    }
    this.#entries = new Map([...this.#entries].sort(([, one], [, other]) => one.at - other.at));
    this.#run();
  }

  /** Send `body` as soon as may be and return the promise of {id, seq}; rejected with {code, reason} where it failed. */
  add(body) {
    this.#latest = Math.max(Date.now(), this.#latest + 1);
    const entry = this.#enter({ id: newId(), body, at: this.#latest, state: this.#ready ? "sending" : "waiting" });
    this.#save(entry);
    this.#tell(this.#shown(entry));
    this.#run();
    return entry.promise;
  }

  /** Try a message again that failed; return the promise of {id, seq}. */
  retry(id) {
    const entry = this.#entries.get(id);
    if (!entry) {
      return Promise.reject({ code: "not_found" });
    }
    if (entry.state === "failed") {
      Object.assign(entry, withPromise());
      entry.error = undefined;
      this.#save(entry);
      this.#change(entry, this.#ready ? "sending" : "waiting");
      this.#run();
    }
    return entry.promise;
  }

  /** Forget a message. Where it is under way just now, it may be stored all the same. */
  discard(id) {
    this.#finish(id, "discarded")?.reject({ code: "discarded" });
  }

  /** Another tab has taken a message over, or is done with it. */
  drop(id) {
    const entry = this.#entries.get(id);
    if (entry) {
      this.#entries.delete(id);
      this.#tell({ ...this.#shown(entry), error: undefined, state: "discarded" });
      entry.reject({ code: "discarded" });
    }
  }

  /** Drop what the store no longer has, or has as another tab's: this page was put aside. */
  compare() {
    for (const { id, kept } of [...this.#entries.values()]) {
      if (kept && this.#store.get(id)?.owner !== this.#owner) {
        this.drop(id);
      }
    }
  }

  /** Note that a message has been stored under number `seq`, whoever told. */
  stored(id, { seq }) {
    this.#finish(id, "stored", { seq })?.resolve({ id, seq });
  }

  /** Note that a message was a command: the server did something in place of storing it, and said what. */
  #done(id, done) {
    this.#finish(id, "discarded", { done })?.resolve({ id, done });
  }

  /** From now on messages can be sent. */
  start() {
    this.#ready = true;
    this.#run();
  }

  /** From now on they cannot. */
  stop() {
    this.#ready = false;
    this.#pause?.();
  }

  async #run() {
    if (this.#running) {
      return;
    }
    this.#running = true;
    for (let entry = this.#next(); entry; entry = this.#next()) {
      this.#change(entry, "sending");
      try {
        const answer = await this.#transmit(entry);
        if (answer.type === "done") {
          this.#done(entry.id, answer);
        } else {
          this.stored(entry.id, answer);
        }
      } catch (error) {
        await this.#refused(entry, error);
      }
    }
    this.#running = false;
    for (const entry of this.#entries.values()) {
      if (entry.state === "sending") {
        this.#change(entry, "waiting");
      }
    }
  }

  #next() {
    return this.#ready && [...this.#entries.values()].find(({ state }) => state !== "failed");
  }

  async #refused(entry, error) {
    if (this.#entries.get(entry.id) !== entry) {
      return;
    }
    if (error.code === "disconnected") {
      // Whoever stopped us starts us again.
      this.#ready = false;
      this.#change(entry, "waiting");
    } else if (error.code === "too_fast") {
      entry.error = error;
      this.#change(entry, "waiting");
      await this.#sleep(error.retry_after_ms ?? 1_000);
      entry.error = undefined;
    } else {
      entry.error = { code: error.code, reason: error.reason };
      this.#save(entry);
      this.#change(entry, "failed");
      entry.reject(entry.error);
    }
  }

  #save(entry) {
    entry.kept = this.#store?.put(entry) ?? false;
  }

  /** Wait so many milliseconds, or until there is no connection. */
  #sleep(delay) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#pause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #enter(entry) {
    Object.assign(entry, withPromise(), { owner: this.#owner });
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #change(entry, state) {
    if (entry.state !== state || entry.error) {
      entry.state = state;
      this.#tell(this.#shown(entry));
    }
  }

  #finish(id, state, more = {}) {
    const entry = this.#entries.get(id);
    if (entry) {
      this.#entries.delete(id);
      this.#store?.remove(id);
      this.#tell({ ...this.#shown(entry), error: undefined, state, ...more });
    }
    return entry;
  }

  #shown({ id, body, at, state, error }) {
    return { id, body, at, state, error };
  }
}

function withPromise() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  // Who does not care for the promise hears of it by the event.
  made.promise.catch(() => {});
  return made;
}
