// Messages in chunks, of which the browser lays out and paints only those that are in sight or near it (messages.css).
//
// A chunk far away keeps the height that it had when it was last laid out: so nothing jumps when it comes into sight.

import { element } from "./dom.js";

const SIZE = 50;
// How far from what is in sight a chunk is laid out: a screen, above and below.
const NEAR = "100% 0px";
// After a change of width, how long none may follow before the heights of all chunks are taken anew.
const WIDTH_MS = 250;

export class Chunks {
  #list;
  #timer = 0;
  #observer;

  /** `list` is inside `log`, which scrolls. */
  constructor(list, log) {
    this.#list = list;
    // Told after the frame is laid out, when the browser has taken note of the height.
    this.#observer = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => target.toggleAttribute("data-far", !isIntersecting)),
      { root: log, rootMargin: NEAR },
    );
  }

  /** Put `item` between its neighbours, of which each may be missing. */
  put(item, before, after) {
    const [above, below] = [before?.parentElement, after?.parentElement];
    if (above && (above === below || above.childElementCount < SIZE)) {
      before.after(item);
    } else if (below && below.childElementCount < SIZE) {
      after.before(item);
    } else {
      const chunk = element("div", { className: "chunk", role: "presentation" });
      this.#list.insertBefore(chunk, above ? above.nextElementSibling : (below ?? this.#list.firstElementChild));
      chunk.append(item);
    }
    this.touch(item);
  }

  /** Note that the height of `item` may have changed. */
  touch(item) {
    this.#layOut(item.parentElement);
  }

  /** Note that all heights may have changed, as lines break elsewhere; `keep(change)` keeps the place meanwhile. */
  touchAll(keep) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => keep(() => [...this.#list.children].forEach((chunk) => this.#layOut(chunk))), WIDTH_MS);
  }

  /** Return the first message that reaches below `top` in the window, or null. */
  firstBelow(top) {
    const reaches = (item) => item.getBoundingClientRect().bottom > top;
    // Chunk first: to ask where a message of a skipped one is would lay that out.
    const chunk = firstOf(this.#list.children, reaches);
    return chunk ? firstOf(chunk.children, reaches) : null;
  }

  clear() {
    this.#observer.disconnect();
    this.#list.replaceChildren();
  }

  #layOut(chunk) {
    chunk.removeAttribute("data-far");
    // Observed anew, it is reported in any case.
    this.#observer.unobserve(chunk);
    this.#observer.observe(chunk);
  }
}

/** Return the first of `items` for which `test` holds, or null; it must hold for all that follow. */
function firstOf(items, test) {
  return items[bisect(items.length, (index) => test(items[index]))] ?? null;
}

/** Return the first number below `count` for which `test` holds, or `count`; it must hold for all that follow. */
export function bisect(count, test) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
