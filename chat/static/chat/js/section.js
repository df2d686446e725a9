// What the sections of a room's settings have in common: a list, fetched anew when the section is opened, and a note.

import { inWords } from "./words.js";

/** Prepare the section `box`; `fetchItems()` returns a promise of the items of its list. */
export function prepareSection(box, fetchItems) {
  const list = box.querySelector("ul");
  const note = box.querySelector("[role=status]");
  const say = (text) => {
    note.textContent = text;
  };
  const refill = async () => list.replaceChildren(...(await fetchItems()));
  /** Do something, and say why it was refused, if it was. */
  const attempt = async (action) => {
    say("");
    try {
      await action();
    } catch (error) {
      say(inWords(error));
    }
  };
  box.addEventListener("toggle", () => box.open && attempt(refill));
  return {
    say,
    refill,
    attempt,

    /** Take an item away by `action()`, and say so. The focus, which was on the item's button, goes to the summary. */
    remove: (action, said = "") => attempt(async () => {
      await action();
      await refill();
      say(said);
      box.querySelector("summary").focus();
    }),

    /** Close it, so that it is filled anew when it is opened. */
    close() {
      box.open = false;
      say("");
    },
  };
}
