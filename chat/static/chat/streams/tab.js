// This tab among those of one browser: it holds a lock under its name for as long as it lives.
//
// A lock goes with its tab, however that ends. Web Locks need a secure context (https, or localhost): without them
// nobody knows which tabs there are, and each is on its own.

import { newId } from "./ids.js";

const lockOf = (id) => `streams:tab:${id}`;

export class Tab {
  id = newId();
  /** The browser's LockManager, or null. */
  locks = globalThis.navigator?.locks ?? null;
  #release = null;
  #held = null;

  /** Return a promise that is kept when the others can see that this tab is here. */
  hold() {
    this.#held ??= this.#take();
    return this.#held;
  }

  /** Be gone for the others: the page is closed or put aside. */
  release() {
    this.#release?.();
    this.#release = this.#held = null;
  }

  /** Call `then()` once tab `id` is gone. Of several tabs that wait for that, one after the other is called. */
  whenGone(id, then, signal) {
    this.locks.request(lockOf(id), { signal }, then).catch(() => {
      // No longer of interest.
    });
  }

  async #take() {
    const gone = new Promise((resolve) => {
      this.#release = resolve;
    });
    await new Promise((held) => {
      const taken = () => {
        held();
        return gone;
      };
      // Forbidden in some frames.
      this.locks?.request(lockOf(this.id), taken).catch(held) ?? held();
    });
  }
}
