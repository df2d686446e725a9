// What those who manage a room can do: give it another name or topic, and let people into a private one.

import { csrfToken } from "./config.js";
import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { inWords } from "./words.js";

/** Prepare the dialog and the form, where this page has them. `currentRoom()` returns the room as it is now. */
export function prepareSettings(connection, currentRoom) {
  if (byId("settings")) {
    prepareDialog(connection, currentRoom);
  }
  byId("add-member")?.addEventListener("submit", (event) => {
    event.preventDefault();
    addMember(event.target);
  });
}

function prepareDialog(connection, currentRoom) {
  const dialog = byId("settings");
  const form = byId("settings-form");
  const { name, topic } = form.elements;
  byId("settings-open").addEventListener("click", () => {
    const room = currentRoom();
    name.value = room?.name ?? byId("room-name").textContent;
    topic.value = room?.topic ?? byId("room-topic").textContent;
    byId("settings-error").textContent = "";
    dialog.showModal();
  });
  byId("settings-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = { name: name.value, topic: topic.value };
    try {
      await connection.request("rooms", { type: "update", pk: Number(form.dataset.pk), data });
      dialog.close();
    } catch (error) {
      byId("settings-error").textContent = inWords(error);
    }
  });
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
