// Unsent messages in localStorage: one key for each, so that two tabs never write over each other's.
//
// Storage can be forbidden, full, or hold what others wrote: then the outbox works on, and forgets with the page.

const PREFIX = "streams:outbox:";

function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export class Store {
  #prefix;
  #storage = storage();

  /** The messages of one identity in one room of one server. */
  constructor(path, key, room) {
    this.#prefix = `${PREFIX}${[path, key, room].map(encodeURIComponent).join(":")}:`;
  }

  /** Return all messages {id, body, at, owner, error}, in the order in which they were written. */
  all() {
    return this.#keys().flatMap((name) => this.#read(name)).sort((one, other) => one.at - other.at);
  }

  get(id) {
    return this.#read(this.#prefix + id)[0];
  }

  /** Keep a message and return whether that was possible. */
  put({ id, body, at, owner, error }) {
    try {
      this.#storage.setItem(this.#prefix + id, JSON.stringify({ body, at, owner, error }));
      return true;
    } catch {
      return false;
    }
  }

  remove(id) {
    try {
      this.#storage.removeItem(this.#prefix + id);
    } catch {
      // Then it was never there.
    }
  }

  /** Return the id of the message that a storage event is about, or null. */
  idOf({ key, storageArea }) {
    return storageArea === this.#storage && key?.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : null;
  }

  #keys() {
    try {
      return Object.keys(this.#storage).filter((name) => name.startsWith(this.#prefix));
    } catch {
      return [];
    }
  }

  #read(name) {
    try {
      const { body, at, owner, error } = JSON.parse(this.#storage.getItem(name));
      return [{ id: name.slice(this.#prefix.length), body, at, owner, error }];
    } catch {
      return [];
    }
  }
}
