// Puts the page together: what each module does is in its own file.

import { identity, rooms as knownRooms, slug, socket } from "./config.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { byId, paintAvatar } from "./dom.js";
import { prepareDrawers } from "./drawers.js";
import { fill, gettext } from "./i18n.js";
import { Log } from "./log.js";
import { markersOf } from "./markers.js";
import { announce, clearError, showError } from "./notices.js";
import { People } from "./people.js";
import { Rooms } from "./rooms.js";
import { prepareSettings } from "./settings.js";
import { showState } from "./state.js";
import { inWords } from "./words.js";

function paintAvatars() {
  for (const box of document.querySelectorAll("[data-avatar]")) {
    paintAvatar(box, { key: box.dataset.key, name: box.dataset.name });
  }
}

/** Fetch this page again and return the rooms that it lists: the rooms stream does not repeat what was missed. */
async function fetchRooms() {
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return JSON.parse(page.getElementById("config").textContent).rooms;
  } catch (error) {
    // No network, or another page than this: the list stays as it is.
    console.info("the list of rooms was not renewed:", error.message);
    return null;
  }
}

/** Tell of pictures that could not be processed. Which of two is first, the answer to the upload or the job, is open. */
function prepareJobs(connection, log) {
  const uploaded = new Map();
  const failed = new Map();
  const tell = (job) => {
    if (uploaded.has(job) && failed.has(job)) {
      log.failPicture(uploaded.get(job));
      showError(fill(gettext("A picture could not be processed: %(reason)s"), { reason: failed.get(job) }), { kind: "job" });
    }
  };
  connection.on("jobs", ({ type, job, reason }) => {
    if (type === "failed") {
      failed.set(job, reason);
      tell(job);
    }
  });
  return ({ message, job }) => {
    uploaded.set(job, message.seq);
    tell(job);
  };
}

function prepareRoom(connection, rooms) {
  const people = new People(identity);
  const read = () => document.hidden || !log.atEnd || rooms.markRead(conversation.last);
  const log = new Log(identity, { onEnd: () => read() });
  const composer = new Composer({
    onText: (text) => conversation.joined && (conversation.send(text), true),
    onUploaded: prepareJobs(connection, log),
  });
  const conversation = new Conversation({
    connection,
    room: slug,
    me: identity,
    log,
    onMembers: (members) => people.set(members),
    onLeft: () => {
      composer.close();
      people.set([]);
      showError(gettext("You are no longer in this room."), { kind: "join", reload: true });
    },
  });
  connection.on("chat", (payload) => {
    conversation.receive(payload);
    read();
  });
  connection.on("presence", (payload) => payload.room === slug && people.receive(payload));
  document.addEventListener("visibilitychange", read);
  byId("earlier").addEventListener("click", async ({ currentTarget }) => {
    currentTarget.disabled = true;
    await conversation.loadEarlier();
    currentTarget.disabled = false;
  });
  return conversation;
}

function start() {
  const rooms = new Rooms(knownRooms, markersOf(identity), slug);
  const connection = new Connection(socket);
  connection.on("rooms", (payload) => {
    if (payload.type === "heads") {
      rooms.receiveHeads(payload.heads);
      conversation?.noticeLast(payload.heads[slug]);
      return;
    }
    const room = rooms.receive(payload);
    if (room && room.slug === slug) {
      conversation?.noticeLast(room.last_seq);
    }
  });
  connection.on("system", (payload) => {
    if (payload.type === "announcement") {
      announce(payload.text, payload.room && rooms.nameOf(payload.room));
    } else if (payload.type === "error") {
      showError(inWords(payload));
    }
  });
  const conversation = slug === null ? null : prepareRoom(connection, rooms);
  prepareSettings(connection, () => rooms.open);
  showState(connection, (text) => {
    if (text) {
      showError(text, { kind: "state", reload: true });
    } else {
      clearError("state");
    }
  });
  let first = true;
  connection.addEventListener("welcome", async ({ detail }) => {
    if (detail.identity.key !== identity.key) {
      // Signed in or out in another tab: this page belongs to somebody else.
      location.reload();
    } else if (!first) {
      const known = await fetchRooms();
      if (known) {
        rooms.replace(known);
      }
    }
    first = false;
  });
  connection.open();
}

prepareDrawers();
paintAvatars();
if (identity !== null) {
  start();
}
