// Webhooks of a room: a list, a form that makes one and shows its address once, and revoking.

import { copyOf } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { fullText } from "./times.js";
import { inWords } from "./words.js";

/**
 * Prepare the section `box`; `show()` closes it, so that it is filled anew when it is opened.
 *
 * `request(type, fields)` asks the server about the room and returns a promise.
 */
export function prepareWebhooks(box, request) {
  const list = box.querySelector("ul");
  const form = box.querySelector("[data-form]");
  const made = box.querySelector("[data-made]");
  const note = box.querySelector("[role=status]");
  const attempt = async (action) => {
    note.textContent = "";
    try {
      await action();
    } catch (error) {
      note.textContent = inWords(error);
    }
  };
  const fillList = async () => {
    const { webhooks } = await request("webhooks");
    list.replaceChildren(...webhooks.map((webhook) => item(webhook, revoke)));
  };
  const revoke = ({ id, name }) => attempt(async () => {
    await request("webhook_revoke", { webhook: id });
    showAddress(made, "");
    await fillList();
    note.textContent = fill(gettext("%(name)s can no longer post."), { name });
    box.querySelector("summary").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const { path } = await request("webhook", { name: form.elements.name.value });
      form.reset();
      await fillList();
      showAddress(made, new URL(path, location.href).href);
    });
  });
  made.querySelector("input").addEventListener("focus", ({ target }) => target.select());
  box.addEventListener("toggle", () => box.open && attempt(fillList));
  return {
    show() {
      box.open = false;
      note.textContent = "";
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
