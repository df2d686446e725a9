// The messages of one room as far as they are known: each once, in order, as new as can be, and where some are missing.

// Changes that are kept for messages which have not come yet.
const MOST_EARLY = 500;

/** Whether what `fields` say of a message is older than what is known. */
function isOlder(fields, known) {
  const [revision, latest] = [fields.revision ?? 0, known.revision ?? 0];
  // Servers without revisions: nothing comes after the removal.
  return revision < latest || (known.removed && revision === latest);
}

function differs(fields, known) {
  return Object.keys(fields).some((name) => JSON.stringify(fields[name]) !== JSON.stringify(known[name]));
}

export class Timeline {
  #bySeq = new Map();
  #order = [];
  // Index in #order up to which there is no hole.
  #whole = 0;
  #early = new Map();

  get first() {
    return this.#order[0] ?? 0;
  }

  get last() {
    return this.#order.at(-1) ?? 0;
  }

  get size() {
    return this.#order.length;
  }

  /** The number up to which nothing is missing, counted from the first message known. */
  get complete() {
    return this.hole()?.after ?? this.last;
  }

  /** All messages, in order. */
  get messages() {
    return this.#order.map((seq) => this.#bySeq.get(seq));
  }

  has(seq) {
    return this.#bySeq.has(seq);
  }

  get(seq) {
    return this.#bySeq.get(seq);
  }

  /** Take in `messages`; return {added, changed}: those that are new, in order, and those known that have changed. */
  add(messages) {
    const added = [];
    const changed = [];
    for (const message of messages) {
      if (this.#bySeq.has(message.seq)) {
        const known = this.change(message);
        if (known) {
          changed.push(known);
        }
        continue;
      }
      this.#insert(message);
      added.push(message);
      const early = this.#early.get(message.seq);
      this.#early.delete(message.seq);
      if (early && !isOlder(early, message)) {
        Object.assign(message, early);
      }
    }
    return { added: added.sort((one, other) => one.seq - other.seq), changed };
  }

  /**
   * Take in what is new of message number `seq`, the whole of it or some fields; return the message if that changed it.
   *
   * What is older than what is known is left. For a message that is not known yet it is kept.
   */
  change(fields) {
    const known = this.#bySeq.get(fields.seq);
    if (!known) {
      this.#keep(fields);
      return null;
    }
    if (isOlder(fields, known) || !differs(fields, known)) {
      return null;
    }
    return Object.assign(known, fields);
  }

  /** Return the first hole as `{after, before}`, numbers of the messages around it, or null. */
  hole() {
    const order = this.#order;
    while (this.#whole + 1 < order.length && order[this.#whole + 1] === order[this.#whole] + 1) {
      this.#whole += 1;
    }
    return this.#whole + 1 < order.length ? { after: order[this.#whole], before: order[this.#whole + 1] } : null;
  }

  /** Whether `messages` follow or overlap what is known, or nothing is known, so that no hole comes of them. */
  meets(messages) {
    const numbers = messages.map(({ seq }) => seq);
    return this.size === 0 || (Math.min(...numbers) <= this.last + 1 && Math.max(...numbers) >= this.first - 1);
  }

  clear() {
    this.#bySeq.clear();
    this.#order = [];
    this.#whole = 0;
  }

  #insert(message) {
    const inOrder = message.seq > this.last;
    this.#bySeq.set(message.seq, message);
    this.#order.push(message.seq);
    if (!inOrder) {
      this.#order.sort((one, other) => one - other);
      this.#whole = 0;
    }
  }

  #keep(fields) {
    const { seq } = fields;
    const kept = this.#early.get(seq);
    if (kept && isOlder(fields, kept)) {
      return;
    }
    this.#early.delete(seq);
    this.#early.set(seq, { ...kept, ...fields });
    if (this.#early.size > MOST_EARLY) {
      this.#early.delete(this.#early.keys().next().value);
    }
  }
}
