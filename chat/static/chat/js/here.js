// Who is in the room now, from a list of them and from comings and goings that arrive in any order.

export class Here {
  #people = new Map();
  // Who came or went, each with the payload that told it, which has the number of it in the room.
  #told = new Map();
  #number = Infinity;
  #counted = 0;
  /** How many there are: the list has not all of them where they are very many. */
  count = 0;

  get people() {
    return [...this.#people.values()];
  }

  /** How many of them the list has not. */
  get more() {
    return Math.max(0, this.count - this.#people.size);
  }

  get(key) {
    return this.#people.get(key);
  }

  /** Take in those of `people` that are here, as of the room's coming or going number `presence`. */
  set(list, { people = list.length, presence = Infinity } = {}) {
    this.#people = new Map(list.map((person) => [person.key, person]));
    [this.#number, this.count, this.#counted] = [presence, people, presence];
    // What was told under a later number comes on top, whether it came before this or comes after.
    this.#told = new Map([...this.#told].filter(([, payload]) => payload.presence > presence));
    this.#told.forEach((payload) => this.#apply(payload));
  }

  /** Take in a payload of the presence stream and return whether it is news: of each person, the highest number tells. */
  receive(payload) {
    const { key } = payload.who;
    if (payload.presence <= (this.#told.get(key)?.presence ?? -1)) {
      return false;
    }
    this.#told.set(key, payload);
    const later = payload.presence > this.#number;
    if (later) {
      this.#apply(payload);
    }
    return later;
  }

  #apply({ type, who, presence, people }) {
    if (type === "join") {
      this.#people.set(who.key, who);
    } else {
      this.#people.delete(who.key);
    }
    if (presence > this.#counted) {
      [this.#counted, this.count] = [presence, people];
    }
  }
}
