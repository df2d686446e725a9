// Links that let people into a private room: a list, a form that makes one, a button that copies it.

import { copyOf, element } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { fullText } from "./times.js";
import { inWords } from "./words.js";

/** Prepare the section `box`. `show(isPrivate)` fills it, or hides it: into a public room everybody may go. */
export function prepareInvitations(box, request) {
  const list = box.querySelector("ul");
  const note = box.querySelector("[role=status]");
  const form = box.querySelector("[data-form]");
  const attempt = async (action) => {
    note.textContent = "";
    try {
      await action();
    } catch (error) {
      note.textContent = inWords(error);
    }
  };
  const fillList = async () => {
    const { invitations } = await request("invitations");
    list.replaceChildren(...invitations.map((invitation) => item(invitation, { note, revoke })));
  };
  const revoke = (token) => attempt(async () => {
    await request("revoke", { token });
    await fillList();
    box.querySelector("summary").focus();
  });
  form.querySelector("button").addEventListener("click", () => attempt(async () => {
    const [hours, uses] = [...form.querySelectorAll("select")].map(({ value }) => Number(value));
    const { url } = await request("invite", uses ? { hours, uses } : { hours });
    await fillList();
    await copy(url, note);
  }));
  box.addEventListener("toggle", () => box.open && attempt(fillList));
  return {
    show(isPrivate) {
      box.hidden = !isPrivate;
      box.open = false;
      note.textContent = "";
    },
  };
}

function item({ token, url, expires_at: ends, uses_left: uses, by }, { note, revoke }) {
  const made = copyOf("invitation");
  const whole = new URL(url, location.href).href;
  const input = made.querySelector("input");
  input.value = whole;
  input.addEventListener("focus", () => input.select());
  const facts = [fill(gettext("by %(name)s"), { name: by })];
  if (ends) {
    facts.push(fill(gettext("until %(time)s"), { time: fullText(new Date(ends)) }));
  }
  if (uses !== null) {
    facts.push(fill(ngettext("for %(count)s person", "for %(count)s people", uses), { count: uses }));
  }
  made.querySelector("[data-facts]").textContent = facts.join(" · ");
  made.querySelector("[data-copy]").addEventListener("click", () => copy(url, note));
  made.querySelector("[data-revoke]").addEventListener("click", () => revoke(token));
  return made;
}

async function copy(url, note) {
  const whole = new URL(url, location.href).href;
  try {
    await navigator.clipboard.writeText(whole);
    note.textContent = gettext("The link was copied.");
  } catch {
    // Not over plain HTTP, and not where the browser forbids it.
    const box = element("textarea", { value: whole });
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    box.select();
    note.textContent = document.execCommand("copy") ? gettext("The link was copied.") : whole;
    box.remove();
  }
}
