// How many changes of a room's messages are known: they are numbered, and may come out of turn.

export class Revisions {
  #ahead = new Set();
  /** The number up to which all are known. */
  latest = 0;

  /** Note change number `revision` and return whether some before it are missing. */
  note(revision) {
    if (revision > this.latest) {
      this.#ahead.add(revision);
      this.#advance();
    }
    return this.#ahead.size > 0;
  }

  /** All up to `revision` are known. */
  reach(revision) {
    this.latest = Math.max(this.latest, revision);
    this.#advance();
  }

  clear() {
    this.latest = 0;
  }

  #advance() {
    for (const revision of [...this.#ahead].sort((one, other) => one - other)) {
      if (revision === this.latest + 1) {
        this.latest = revision;
      }
      if (revision <= this.latest) {
        this.#ahead.delete(revision);
      }
    }
  }
}
