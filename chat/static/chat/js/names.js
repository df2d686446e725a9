// What people are called, as far as the page has heard: messages name those they mention by key only.

import { identity } from "./config.js";

const people = new Map();

/** Note somebody: {key, name, guest}. */
export function know(person) {
  people.set(person.key, person);
}

export const nameOf = (key) => people.get(key)?.name;

/** Everybody with an account whom the page has heard of. */
export const everybody = () => [...people.values()].filter(({ key }) => key.startsWith("u"));

if (identity) {
  know(identity);
}
