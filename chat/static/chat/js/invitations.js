// Links that let people into a private room: a list, a form that makes one, a button that copies it.

import { copyOf, element } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { prepareSection } from "./section.js";
import { fullText } from "./times.js";

/** Prepare the section `box`. `show(isPrivate)` fills it, or hides it: into a public room everybody may go. */
export function prepareInvitations(box, request) {
  const form = box.querySelector("[data-form]");
  const section = prepareSection(box, async () => {
    const { invitations } = await request("invitations");
    return invitations.map((invitation) => item(invitation, { say: section.say, revoke }));
  });
  const revoke = (token) => section.remove(() => request("revoke", { token }));
  form.querySelector("button").addEventListener("click", () => section.attempt(async () => {
    const [hours, uses] = [...form.querySelectorAll("select")].map(({ value }) => Number(value));
    const { url } = await request("invite", uses ? { hours, uses } : { hours });
    await section.refill();
    await copy(url, section.say);
  }));
  return {
    show(isPrivate) {
      box.hidden = !isPrivate;
      section.close();
    },
  };
}

function item({ token, url, expires_at: ends, uses_left: uses, by }, { say, revoke }) {
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
  made.querySelector("[data-copy]").addEventListener("click", () => copy(url, say));
  made.querySelector("[data-revoke]").addEventListener("click", () => revoke(token));
  return made;
}

async function copy(url, say) {
  const whole = new URL(url, location.href).href;
  try {
    await navigator.clipboard.writeText(whole);
    say(gettext("The link was copied."));
  } catch {
    // Not over plain HTTP, and not where the browser forbids it.
    const box = element("textarea", { value: whole });
    (document.querySelector("dialog[open]") ?? document.body).append(box);
    box.select();
    say(document.execCommand("copy") ? gettext("The link was copied.") : whole);
    box.remove();
  }
}
