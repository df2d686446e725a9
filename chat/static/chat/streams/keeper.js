// Unsent messages over the end of their tab: another one in the same room takes them over, or the next to come.
//
// A message belongs to one tab, which sends it. Only when that tab is gone does another make it its own, under the lock
// of the tab that was; so no two send the same. Without Web Locks every tab that comes sends what it finds: the server
// stores it once, for it goes under the same id.

export class Keeper {
  #outbox;
  #store;
  #tab;
  #watched = new Set();
  #over = null;
  #listener = (event) => this.#changed(event);

  constructor(outbox, store, tab) {
    this.#outbox = outbox;
    this.#store = store;
    this.#tab = tab;
    outbox.keepIn(store);
    this.resume();
  }

  /** Take over what nobody has, and from now on what somebody leaves. */
  resume() {
    if (this.#over) {
      return;
    }
    this.#over = new AbortController();
    const shared = Boolean(this.#tab.locks);
    if (shared) {
      this.#outbox.compare();
      globalThis.addEventListener("storage", this.#listener);
    }
    const all = this.#store.all();
    this.#outbox.adopt(all.filter(({ owner }) => !shared || !owner || owner === this.#tab.id));
    if (shared) {
      for (const { owner } of all) {
        this.#watch(owner);
      }
    }
  }

  /** Leave it to others: this page is put aside. */
  pause() {
    this.#over?.abort();
    this.#over = null;
    this.#watched.clear();
    globalThis.removeEventListener("storage", this.#listener);
  }

  /** Another tab has written something. */
  #changed(event) {
    const id = this.#store.idOf(event);
    if (id === null) {
      return;
    }
    const owner = this.#store.get(id)?.owner;
    if (owner === this.#tab.id) {
      return;
    }
    this.#outbox.drop(id);
    this.#watch(owner);
  }

  #watch(owner) {
    if (!owner || owner === this.#tab.id || this.#watched.has(owner)) {
      return;
    }
    this.#watched.add(owner);
    const { signal } = this.#over;
    this.#tab.whenGone(owner, () => {
      if (!signal.aborted) {
        this.#watched.delete(owner);
        this.#outbox.adopt(this.#store.all().filter((message) => message.owner === owner));
      }
    }, signal);
  }
}
