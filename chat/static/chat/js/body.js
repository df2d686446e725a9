// The body of a message: text and links, the text always as text.

import { element } from "./dom.js";

// Up to white space, or the punctuation that ends a clause in Chinese; what ends a sentence is not part of a link.
const LINK = /https?:\/\/[^\s<>"“”。，；！？、）】》]+[^\s<>"“”。，；！？、）】》.,;:!?'*_~)\]]/giu;

/** Return `text` as nodes: its addresses are links, all else is text. */
export function bodyNodes(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(text.slice(end, match.index), link(match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

function link(address) {
  return URL.canParse?.(address) === false
    ? address
    : element("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow", textContent: address });
}
