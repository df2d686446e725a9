// Puts the page together: what each module does is in its own file.

import { prepareCompany } from "./company.js";
import { Completion } from "./completion.js";
import { Composer } from "./composer.js";
import { identity, rooms as knownRooms, slug, socket } from "./config.js";
import { paintAvatar } from "./dom.js";
import { prepareDrafts } from "./drafts.js";
import { prepareDrawers } from "./drawers.js";
import { prepareEarlier } from "./earlier.js";
import { prepareEmoji } from "./emoji.js";
import { fill, gettext } from "./i18n.js";
import { Jump } from "./jump.js";
import { Log } from "./log.js";
import { markersOf } from "./markers.js";
import { MessageMenu } from "./message_menu.js";
import { whyLeft } from "./moderation.js";
import { announce, clearError, showError } from "./notices.js";
import { allowed, prepareNotifications } from "./notify.js";
import { preparePreferences } from "./preferences.js";
import { Rooms } from "./rooms.js";
import { Search } from "./search.js";
import { prepareSettings } from "./settings.js";
import { showState } from "./state.js";
import { Streams } from "../streams.js";
import { loadEarlier, showRoom } from "./talk.js";
import { prepareTyping } from "./typing.js";
import { prepareViewer } from "./viewer.js";
import { inWords } from "./words.js";
import { prepareWorker } from "./worker.js";

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
function prepareJobs(streams, log) {
  const uploaded = new Map();
  const failed = new Map();
  const tell = (job) => {
    if (uploaded.has(job) && failed.has(job)) {
      log.failPicture(uploaded.get(job));
      showError(fill(gettext("A picture could not be processed: %(reason)s"), { reason: failed.get(job) }), { kind: "job" });
    }
  };
  streams.on("jobs", ({ type, job, reason }) => {
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

function prepareRoom(streams, rooms) {
  const room = streams.join(slug);
  const read = () => document.hidden || !log.atEnd || rooms.markRead(room.timeline.last);
  const log = new Log(identity, { onEnd: () => read() });
  const composer = new Composer({
    onText: (text) => (room.send(text), true),
    onUploaded: prepareJobs(streams, log),
  });
  const completion = new Completion(room, identity);
  const jump = new Jump(room, log, identity);
  new MessageMenu(room, identity);
  new Search(streams, rooms, (seq) => jump.to(seq));
  log.enter(rooms.lastRead);
  showRoom(room, log, read);
  prepareCompany(room, streams, { me: identity, info: rooms.open });
  room.addEventListener("left", ({ detail }) => {
    const { text, reload } = whyLeft(detail.reason);
    composer.close();
    showError(text, { kind: "join", reload });
  });
  streams.on("chat", (payload) => payload.type === "error" && showError(inWords(payload)));
  streams.on("presence", (payload) => payload.room === slug && completion.receive(payload));
  document.addEventListener("visibilitychange", read);
  prepareTyping(room, streams, identity);
  prepareEarlier(() => loadEarlier(room));
  prepareEmoji((text) => composer.insert(text));
  prepareViewer();
  return room;
}

function start() {
  const rooms = new Rooms(knownRooms, markersOf(identity), slug);
  const streams = new Streams(socket, { identity: identity.key });
  streams.on("rooms", (payload) => {
    if (payload.type === "heads") {
      rooms.receiveHeads(payload.heads);
      room?.notice({ seq: payload.heads[slug] });
      return;
    }
    if (payload.type === "read" || payload.type === "mention") {
      payload.type === "read" ? rooms.receiveRead(payload) : rooms.receiveMention(payload);
      return;
    }
    const known = rooms.receive(payload);
    if (known?.slug === slug) {
      room?.notice({ seq: known.last_seq });
    }
  });
  streams.on("system", (payload) => {
    if (payload.type === "announcement") {
      announce(payload.text, payload.room && rooms.nameOf(payload.room));
    } else if (payload.type === "error") {
      showError(inWords(payload));
    }
  });
  const room = slug === null ? null : prepareRoom(streams, rooms);
  if (room === null) {
    new Search(streams, rooms);
  }
  prepareNotifications(streams, room, rooms);
  preparePreferences(slug, allowed);
  prepareDrafts();
  prepareWorker();
  prepareSettings({
    update: (pk, data) => streams.request("rooms", { type: "update", pk, data }),
    request: (type, fields) => room.request(type, fields),
    currentRoom: () => rooms.open,
  });
  showState(streams, (text) => {
    if (text) {
      showError(text, { kind: "state", reload: true });
    } else {
      clearError("state");
    }
  });
  streams.addEventListener("state", ({ detail }) => {
    if (detail.identity) {
      // Signed in or out in another tab: this page belongs to somebody else.
      location.reload();
    }
  });
  let first = true;
  streams.addEventListener("welcome", async () => {
    const known = first ? null : await fetchRooms();
    first = false;
    if (known) {
      rooms.replace(known);
    }
  });
  streams.open();
}

prepareDrawers();
paintAvatars();
if (identity !== null) {
  start();
}
