// The messages of one room as far as the page knows them: each once, in order, and where some are missing.

export class Timeline {
  #bySeq = new Map();
  #order = [];

  get first() {
    return this.#order[0] ?? 0;
  }

  get last() {
    return this.#order.at(-1) ?? 0;
  }

  get size() {
    return this.#order.length;
  }

  /** Return the number up to which nothing is missing, counted from the first message known. */
  get complete() {
    return this.hole()?.after ?? this.last;
  }

  get(seq) {
    return this.#bySeq.get(seq);
  }

  /** Return the message that stands before number `seq`. */
  before(seq) {
    return this.#bySeq.get(this.#order[this.#order.indexOf(seq) - 1]);
  }

  /** Take in `messages` and return those that were new, in order. */
  add(messages) {
    const added = messages.filter(({ seq }, index) => {
      return !this.#bySeq.has(seq) && messages.findIndex((other) => other.seq === seq) === index;
    });
    for (const message of added) {
      this.#bySeq.set(message.seq, message);
      this.#order.push(message.seq);
    }
    this.#order.sort((one, other) => one - other);
    return added.sort((one, other) => one.seq - other.seq);
  }

  /** Return the first hole as `{after, before}`, numbers of the messages around it, or null. */
  hole() {
    for (let index = 1; index < this.#order.length; index += 1) {
      const [after, before] = [this.#order[index - 1], this.#order[index]];
      if (before - after > 1) {
        return { after, before };
      }
    }
    return null;
  }

  clear() {
    this.#bySeq.clear();
    this.#order = [];
  }
}
