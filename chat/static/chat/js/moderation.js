// What one can do with other people in a room, and with one's own place in it.

import { confirmed } from "./confirm.js";
import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { clearError, showError } from "./notices.js";
import { inWords } from "./words.js";

const RANKS = { moderator: 1, owner: 2 };
const STAFF = 3;

/** What one is and may do in a room, as the server says when one joins. */
export class Standing {
  role = null;
  permissions = [];

  /** Take in a payload of type joined. */
  update({ role, permissions }) {
    this.role = role ?? null;
    this.permissions = permissions ?? [];
  }

  may(permission) {
    return this.permissions.includes(permission);
  }

  /** Nobody has power over equals and betters. Staff own every room without being its owners. */
  get rank() {
    return this.may("own") && this.role !== "owner" ? STAFF : RANKS[this.role] ?? 0;
  }
}

/**
 * Return a function that says what can be done with a person, as items of a menu.
 *
 * `request(type, fields)` asks the server about this room and `ask(type, fields)` about none; both return promises.
 * `roleOf(key)` says what somebody is. `direct`: whether this is a direct conversation.
 */
export function menuFor({ me, standing, request, ask, roleOf, direct }) {
  return (person) => {
    const self = person.key === me.key;
    const role = roleOf(person.key);
    const below = standing.rank > (RANKS[role] ?? 0);
    const items = [];
    if (!self && !direct && !me.guest && !person.guest) {
      items.push({ label: gettext("Message directly"), action: () => talk(ask, person) });
    }
    if (standing.may("own") && !person.guest && (below || (self && role))) {
      items.push(...roleItems(request, person, role));
    }
    if (standing.may("moderate") && !self && below) {
      items.push({ label: gettext("Kick out of the room"), action: () => kick(request, person), danger: true });
      items.push({ label: gettext("Ban…"), action: () => ban(request, person), danger: true });
    }
    if (self && role && !direct) {
      items.push({ label: gettext("Give up membership"), action: () => quit(request), danger: true });
    }
    return items;
  };
}

function roleItems(request, person, role) {
  const make = (to, label, question) => ({
    label,
    action: async () => {
      if (!question || (await confirmed(fill(question, { name: person.name }), label))) {
        await attempt(() => request("role", { key: person.key, role: to }));
      }
    },
    to,
  });
  const owner = gettext("%(name)s will be an owner: you can no longer remove or demote them. Go on?");
  return [
    make("owner", gettext("Make an owner"), owner),
    make("moderator", gettext("Make a moderator")),
    make("member", gettext("Make a plain member")),
  ].filter(({ to }) => to !== (role ?? "member"));
}

async function talk(ask, person) {
  const answer = await attempt(() => ask("direct", { key: person.key }));
  if (answer) {
    location.assign(answer.url);
  }
}

async function kick(request, person) {
  const question = fill(gettext("Put %(name)s out of the room?"), { name: person.name });
  if (await confirmed(question, gettext("Kick out"))) {
    await attempt(() => request("kick", { key: person.key }));
  }
}

function ban(request, person) {
  const dialog = byId("ban");
  byId("ban-title").textContent = fill(gettext("Ban %(name)s"), { name: person.name });
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "yes") {
      const minutes = Number(byId("ban-minutes").value);
      attempt(() => request("ban", minutes ? { key: person.key, minutes } : { key: person.key }));
    }
  }, { once: true });
  dialog.showModal();
}

async function quit(request) {
  const question = gettext("You lose your place in this room, and any role that you have in it.");
  if (await confirmed(question, gettext("Give up membership"))) {
    if (await attempt(() => request("quit"))) {
      location.assign("/");
    }
  }
}

/** Do something and say why it was refused, if it was; return the answer, or null. */
async function attempt(action) {
  clearError("people");
  try {
    return await action();
  } catch (error) {
    showError(inWords(error), { kind: "people" });
    return null;
  }
}

/** Return why a room was taken from us, and whether it makes sense to look again. */
export function whyLeft(reason) {
  const words = {
    kicked: gettext("You were put out of this room."),
    banned: gettext("You were banned from this room."),
    quit: gettext("You have given up your place in this room."),
    not_found: gettext("This room was deleted."),
  };
  return { text: words[reason] ?? gettext("You are no longer in this room."), reload: !["banned", "not_found"].includes(reason) };
}
