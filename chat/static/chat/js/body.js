// The body of a message: text and links, the text always as text.

import { element } from "./dom.js";

// Up to white space, or the punctuation that ends a clause in Chinese; what ends a sentence is not part of a link.
const LINK = /https?:\/\/[^\s<>"“”。，；！？、）】》]+[^\s<>"“”。，；！？、）】》.,;:!?'*_~)\]]/giu;

/** Return `text` as nodes: its addresses are links, `@` and one of `names` ({name, own}) is marked, all else is text. */
export function bodyNodes(text, names = []) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(...mentionNodes(text.slice(end, match.index), names), link(match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(...mentionNodes(text.slice(end), names));
  return nodes.filter((node) => node !== "");
}

function mentionNodes(text, names) {
  // The longest first: one name may begin with another.
  const sorted = names.toSorted((one, other) => other.name.length - one.name.length);
  const pattern = sorted.map(({ name }) => RegExp.escape?.(name) ?? name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  if (!pattern) {
    return [text];
  }
  return text.split(new RegExp(`(@(?:${pattern}))`, "u")).map((part, index) => {
    const own = sorted.find(({ name }) => part === `@${name}`)?.own;
    return index % 2 ? element("span", { className: own ? "mention mention-own" : "mention", textContent: part }) : part;
  });
}

function link(address) {
  return URL.canParse?.(address) === false
    ? address
    : element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow", textContent: address });
}
