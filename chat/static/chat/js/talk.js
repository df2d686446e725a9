// The room on the page: what the library tells of it, and the log shows.

import { fill, gettext } from "./i18n.js";
import { announce, clearError, showError } from "./notices.js";
import { fullText } from "./times.js";
import { inWords } from "./words.js";

const PAGE = 50;
// How long a thumbnail may take before we look whether the news of it got lost.
const THUMBNAIL_MS = 12_000;

/** Show in `log` what is said in `room`; `onRead()` is called when there is something new. */
export function showRoom(room, log, onRead) {
  room.addEventListener("reset", () => log.clear());
  room.addEventListener("joined", ({ detail: { messages } }) => {
    clearError("join");
    clearError("history");
    if (messages.length === 0 && room.timeline.size === 0) {
      log.setMore(false);
    }
  });
  room.addEventListener("messages", ({ detail: { messages, how } }) => {
    log.show(messages, { quiet: how !== "live" });
    if (how !== "live") {
      log.setMore(room.timeline.first > 1);
    }
    for (const { seq, image } of messages) {
      if (image && !image.thumbnail) {
        setTimeout(() => lookForThumbnail(room, log, seq), THUMBNAIL_MS);
      }
    }
    onRead();
  });
  room.addEventListener("changed", ({ detail }) => log.refresh(detail.message));
  room.addEventListener("pending", ({ detail }) => showPending(room, log, detail));
  room.addEventListener("error", ({ detail }) => {
    const text = detail.code === "missing" ? gettext("Some messages are missing.") : inWords(detail);
    showError(text, { kind: detail.of, reload: true });
  });
}

/** Load the messages before the first one on the page; return whether they came. */
export async function loadEarlier(room) {
  try {
    await room.history({ before: room.timeline.first, limit: PAGE });
    return true;
  } catch (error) {
    showError(inWords(error), { kind: "history" });
    return false;
  }
}

function showPending(room, log, { id, body, state, seq, error, done }) {
  if (state === "sending") {
    log.showPending(id, body);
  } else if (state === "waiting") {
    log.showPending(id, body);
    log.notePending(id, error ? inWords(error) : gettext("Will be sent when the connection is back"));
  } else if (state === "failed") {
    log.showPending(id, body);
    log.fail(id, inWords(error), { retry: () => room.retry(id), discard: () => room.discard(id) });
  } else if (state === "discarded" || (seq < room.timeline.first && !room.timeline.has(seq))) {
    // Or it is stored so far above that it is not on the page.
    log.discard(id);
    if (done?.action === "remind") {
      const words = gettext("Reminder set for %(time)s: %(text)s");
      announce(fill(words, { time: fullText(new Date(done.due)), text: done.text }), gettext("Reminder"));
    }
  }
}

async function lookForThumbnail(room, log, seq) {
  const waits = () => room.timeline.get(seq)?.image?.thumbnail === null;
  if (!room.joined || !waits()) {
    return;
  }
  try {
    await room.history({ before: seq + 1, limit: 1 });
    if (waits()) {
      log.failPicture(seq);
    }
  } catch (error) {
    console.info("no news of a thumbnail:", error.code);
  }
}
