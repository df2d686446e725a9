// The picture of a message: a placeholder of its size until the thumbnail is there.

import { element, partsOf } from "./dom.js";
import { fill, gettext } from "./i18n.js";

const BOX = { width: 320, height: 280 };
const LEAST = 72;
const ROOM_FOR_WORDS = 130;

function fit({ width, height }) {
  if (!width || !height) {
    return { width: BOX.width, height: BOX.width * 0.75 };
  }
  const scale = Math.min(1, BOX.width / width, BOX.height / height);
  return { width: Math.max(LEAST, Math.round(width * scale)), height: Math.max(LEAST, Math.round(height * scale)) };
}

/** Return the link that shows `image`, sent by somebody called `name`. */
export function picture(image, name, { failed = false } = {}) {
  const size = fit(image);
  const box = element("a", { className: "picture", href: image.url, target: "_blank", rel: "noopener" });
  // Through the object model, which the content security policy allows, unlike a style attribute.
  box.style.width = `${size.width}px`;
  box.style.aspectRatio = `${size.width} / ${size.height}`;
  const alt = fill(gettext("Picture from %(name)s"), { name });
  if (image.thumbnail) {
    box.append(element("img", { src: image.thumbnail, alt, width: size.width, height: size.height, decoding: "async" }));
  } else {
    box.classList.add("picture-waiting");
    box.toggleAttribute("data-busy", !failed);
    const text = failed ? gettext("No preview. Open the picture") : gettext("Preparing the preview…");
    const hidden = size.width < ROOM_FOR_WORDS || size.height < ROOM_FOR_WORDS;
    box.append(partsOf("image"), element("span", { textContent: text, className: hidden ? "visually-hidden" : "" }));
    box.ariaLabel = `${alt}. ${text}`;
  }
  return box;
}
