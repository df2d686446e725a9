// The settings of a room, for those who manage it: what it is called, who may enter, how fast one may talk, its end.

import { csrfToken } from "./config.js";
import { confirmed } from "./confirm.js";
import { prepareInvitations } from "./invitations.js";
import { prepareBans } from "./bans.js";
import { byId, element } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { inTime } from "./slow.js";
import { prepareWebhooks } from "./webhooks.js";
import { inWords } from "./words.js";

/**
 * Prepare the dialog and the form, where this page has them.
 *
 * `update(pk, data)` changes the room and `request(type, fields)` asks the server about it; both return promises.
 * `currentRoom()` returns the room as it is now.
 */
export function prepareSettings({ update, request, currentRoom }) {
  if (byId("settings")) {
    prepareDialog(update, request, currentRoom);
  }
  byId("add-member")?.addEventListener("submit", (event) => {
    event.preventDefault();
    addMember(event.target);
  });
}

function prepareDialog(update, request, currentRoom) {
  const dialog = byId("settings");
  const form = byId("settings-form");
  const { name, topic, private: closed, slow_seconds: slow } = form.elements;
  const invitations = prepareInvitations(byId("invitations"), request);
  const bans = prepareBans(byId("bans"), request);
  const webhooks = prepareWebhooks(byId("webhooks"), request);
  byId("settings-open").addEventListener("click", () => {
    const room = currentRoom();
    name.value = room?.name ?? byId("room-name").textContent;
    topic.value = room?.topic ?? byId("room-topic").textContent;
    closed.checked = room?.private ?? closed.defaultChecked;
    choose(slow, room?.slow_seconds ?? Number(slow.dataset.now));
    byId("settings-error").textContent = "";
    invitations.show(closed.checked);
    bans.show();
    webhooks.show();
    dialog.showModal();
  });
  byId("settings-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = { name: name.value, topic: topic.value, private: closed.checked, slow_seconds: Number(slow.value) };
    try {
      await update(Number(form.dataset.pk), data);
      dialog.close();
    } catch (error) {
      byId("settings-error").textContent = inWords(error);
    }
  });
  byId("room-delete").addEventListener("click", async () => {
    const question = fill(gettext("Delete %(name)s with all its messages? This cannot be undone."), { name: name.value });
    if (!(await confirmed(question, gettext("Delete the room")))) {
      return;
    }
    try {
      await request("delete");
      location.assign("/");
    } catch (error) {
      byId("settings-error").textContent = inWords(error);
    }
  });
}

/** Select `seconds`, which somebody may have set to something that is not among the choices. */
function choose(select, seconds) {
  if (![...select.options].some(({ value }) => Number(value) === seconds)) {
    select.append(element("option", { value: String(seconds), textContent: inTime(seconds) }));
  }
  select.value = String(seconds);
}

async function addMember(form) {
  const note = byId("member-note");
  const username = form.elements.username.value.trim();
  note.textContent = "";
  try {
    const body = new URLSearchParams({ username, csrfmiddlewaretoken: csrfToken() });
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (response.ok) {
      form.reset();
      note.textContent = fill(gettext("%(name)s may enter now."), { name: username });
    } else {
      note.textContent = answer.error.reason;
    }
  } catch {
    // No network, or a page of nginx's instead of an answer.
    note.textContent = gettext("The server does not answer.");
  }
}
