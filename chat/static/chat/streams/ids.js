// Names and chance.

/** Return a name for a request, a message or a tab that nobody else will choose. */
export function newId() {
  // crypto.randomUUID is missing where the page came over plain HTTP.
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return a number that everybody draws for themselves, so that not all come at once. */
export function between(least, most) {
  return least + Math.random() * (most - least);
}
