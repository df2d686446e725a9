// A picture in full size, and the way from one to the next.

import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";

/** Open the pictures of the log in a dialog. Without it, or with a modifier key, they open as the links that they are. */
export function prepareViewer() {
  const viewer = new Viewer(byId("viewer"));
  byId("messages").addEventListener("click", (event) => {
    const link = event.target.closest(".picture");
    const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (link && plain) {
      event.preventDefault();
      viewer.open(link);
    }
  });
}

class Viewer {
  #dialog;
  #image = byId("viewer-image");
  #link = null;

  constructor(dialog) {
    this.#dialog = dialog;
    byId("viewer-close").addEventListener("click", () => dialog.close());
    byId("viewer-before").addEventListener("click", () => this.#step(-1));
    byId("viewer-after").addEventListener("click", () => this.#step(1));
    byId("viewer-zoom").addEventListener("click", () => this.#zoom());
    // Beside the picture is outside.
    byId("viewer-stage").addEventListener("click", ({ target, currentTarget }) => target === currentTarget && dialog.close());
    dialog.addEventListener("keydown", ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (step && dialog.dataset.zoomed === undefined) {
        this.#step(step);
      }
    });
    dialog.addEventListener("close", () => {
      this.#image.removeAttribute("src");
      this.#link?.focus({ preventScroll: true });
    });
  }

  open(link) {
    this.#dialog.showModal();
    this.#show(link);
    byId("viewer-zoom").focus();
  }

  #links() {
    return [...document.querySelectorAll("#messages .picture")];
  }

  #step(by) {
    const links = this.#links();
    const next = links[links.indexOf(this.#link) + by];
    if (next) {
      this.#show(next);
    }
  }

  #show(link) {
    this.#link = link;
    const links = this.#links();
    const index = links.indexOf(link);
    const message = link.closest(".message");
    const text = message.querySelector(".bubble-text")?.textContent;
    const author = message.querySelector(".author").textContent;
    const alt = fill(gettext("Picture from %(name)s"), { name: author });
    delete this.#dialog.dataset.zoomed;
    this.#image.src = link.href;
    this.#image.alt = text ? `${alt}: ${text}` : alt;
    byId("viewer-author").textContent = author;
    byId("viewer-time").textContent = message.querySelector("time").title;
    byId("viewer-text").textContent = text ?? "";
    byId("viewer-download").href = link.href;
    byId("viewer-before").disabled = index <= 0;
    byId("viewer-after").disabled = index === links.length - 1;
    byId("viewer-count").textContent = fill(gettext("%(number)s of %(count)s"), { number: index + 1, count: links.length });
    this.#describeZoom();
  }

  #zoom() {
    this.#dialog.toggleAttribute("data-zoomed");
    this.#describeZoom();
  }

  #describeZoom() {
    const zoomed = this.#dialog.dataset.zoomed !== undefined;
    byId("viewer-zoom").setAttribute("aria-label", zoomed ? gettext("Fit to the window") : gettext("Show in full size"));
  }
}
