// Small steps on the document. Nothing here, or anywhere else, turns a string into markup.

export const byId = (id) => document.getElementById(id);

/** Return a copy of the one element inside `<template id=NAME-template>`. */
export function copyOf(name) {
  return byId(`${name}-template`).content.firstElementChild.cloneNode(true);
}

/** Return copies of everything inside `<template id=NAME-template>`. */
export function partsOf(name) {
  return byId(`${name}-template`).content.cloneNode(true);
}

/** Return a new element with properties, and text or elements in it. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const HUES = 12;

/** Turn `box` into somebody's avatar: their initial, in their colour. */
export function paintAvatar(box, person) {
  const [first = "?"] = [...person.name.trim()];
  box.textContent = first.toLocaleUpperCase();
  paint(box, person.key);
}

/** Give `box` the colour that belongs to `key`, the same on every page and for everybody. */
export function paint(box, key) {
  let hash = 0;
  for (const character of key) {
    hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  }
  box.dataset.hue = String(hash % HUES);
}
