// Webhooks of a room: a list, a form that makes one and shows its address once, and revoking.

import { copyOf } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { prepareSection } from "./section.js";
import { fullText } from "./times.js";

/**
 * Prepare the section `box`; `show()` closes it, so that it is filled anew when it is opened.
 *
 * `request(type, fields)` asks the server about the room and returns a promise.
 */
export function prepareWebhooks(box, request) {
  const form = box.querySelector("[data-form]");
  const made = box.querySelector("[data-made]");
  const section = prepareSection(box, async () => {
    const { webhooks } = await request("webhooks");
    return webhooks.map((webhook) => item(webhook, revoke));
  });
  const revoke = ({ id, name }) => section.remove(async () => {
    await request("webhook_revoke", { webhook: id });
    showAddress(made, "");
  }, fill(gettext("%(name)s can no longer post."), { name }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    section.attempt(async () => {
      const { path } = await request("webhook", { name: form.elements.name.value });
      form.reset();
      await section.refill();
      showAddress(made, new URL(path, location.href).href);
    });
  });
  made.querySelector("input").addEventListener("focus", ({ target }) => target.select());
  return {
    show() {
      section.close();
      showAddress(made, "");
    },
  };
}

function showAddress(made, address) {
  const input = made.querySelector("input");
  made.hidden = address === "";
  input.value = address;
  if (address) {
    input.focus();
  }
}

function item(webhook, revoke) {
  const { name, used } = webhook;
  const made = copyOf("webhook");
  made.querySelector("[data-name]").textContent = name;
  made.querySelector("[data-facts]").textContent = used
    ? fill(gettext("last used %(time)s"), { time: fullText(new Date(used)) })
    : gettext("never used");
  const button = made.querySelector("[data-revoke]");
  button.ariaLabel = fill(gettext("Revoke %(name)s"), { name });
  button.addEventListener("click", () => revoke(webhook));
  return made;
}
