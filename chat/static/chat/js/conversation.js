// One room on the wire: joining, sending, earlier messages, and whatever was missed.

import { newId } from "./connection.js";
import { gettext } from "./i18n.js";
import { clearError, showError } from "./notices.js";
import { Timeline } from "./timeline.js";
import { inWords } from "./words.js";

const PAGE = 50;
const MOST = 100;
// How long a message may take to arrive after the list of rooms told of it, before we ask for it.
const LATE_MS = 2_500;
// How long a thumbnail may take before we look whether the news of it got lost.
const THUMBNAIL_MS = 12_000;

export class Conversation {
  #connection;
  #room;
  #me;
  #log;
  #timeline = new Timeline();
  #pending = new Map();
  #early = new Map();
  #epoch = null;
  #filling = false;
  #onMembers;
  #onLeft;
  joined = false;

  /** `onMembers(people)` hears who is here; `onLeft(reason)` that the room is taken from us. */
  constructor({ connection, room, me, log, onMembers, onLeft }) {
    this.#connection = connection;
    this.#room = room;
    this.#me = me;
    this.#log = log;
    this.#onMembers = onMembers;
    this.#onLeft = onLeft;
    connection.addEventListener("welcome", () => this.#join());
    connection.addEventListener("state", () => {
      this.joined &&= connection.connected;
    });
  }

  /** The number of the last message that is on the page. */
  get last() {
    return this.#timeline.last;
  }

  /** Take in a payload of the chat stream. */
  receive(payload) {
    if (payload.type === "error" || payload.room !== this.#room) {
      if (payload.type === "error") {
        showError(inWords(payload));
      }
      return;
    }
    if (payload.type === "message") {
      this.#take([payload]);
    } else if (payload.type === "thumbnail") {
      this.#change(payload.seq, { image: payload.image });
    } else if (payload.type === "removed") {
      this.#change(payload.seq, { removed: true, body: "", image: null });
    } else if (payload.type === "left") {
      this.joined = false;
      this.#onLeft(payload.reason);
    }
  }

  /** Send a text, and keep it on the page until the server has stored it. */
  send(body) {
    const id = newId();
    this.#pending.set(id, body);
    this.#transmit(id);
  }

  /** Load the messages before the first one on the page. */
  async loadEarlier() {
    try {
      const { messages, more } = await this.#history({ before: this.#timeline.first, limit: PAGE });
      this.#put(messages, { quiet: true });
      this.#log.setMore(more);
    } catch (error) {
      showError(inWords(error), { kind: "history" });
    }
  }

  /** Note that the room has a message number `seq`; ask for it if it does not come by itself. */
  noticeLast(seq) {
    if (this.joined && seq > this.#timeline.last) {
      setTimeout(() => this.#catchUp(seq), LATE_MS);
    }
  }

  async #join() {
    const since = this.#timeline.size ? { epoch: this.#epoch, seq: this.#timeline.complete } : undefined;
    let answer;
    try {
      answer = await this.#connection.request("chat", { type: "join", room: this.#room, since });
    } catch (error) {
      // Disconnected: the next welcome joins again.
      if (error.code !== "disconnected") {
        showError(inWords(error), { kind: "join", reload: true });
      }
      return;
    }
    clearError("join");
    this.joined = true;
    if (since && !answer.recovered) {
      // Never a patchwork: what we have may have holes that nobody can fill.
      this.#timeline.clear();
      this.#log.clear();
    }
    this.#epoch = answer.epoch;
    this.#onMembers(answer.members);
    this.#take(answer.messages, { quiet: true });
    this.#log.setMore(this.#timeline.first > 1);
    for (const id of this.#pending.keys()) {
      this.#transmit(id);
    }
  }

  async #transmit(id) {
    this.#log.showPending(id, this.#pending.get(id));
    try {
      const { seq } = await this.#connection.request("chat", {
        type: "send", room: this.#room, body: this.#pending.get(id), id,
      });
      this.noticeLast(seq);
    } catch (error) {
      if (!this.#pending.has(id)) {
        return;
      }
      if (error.code === "disconnected") {
        this.#log.notePending(id, gettext("Will be sent when the connection is back"));
        return;
      }
      this.#log.fail(id, inWords(error), {
        retry: () => this.#transmit(id),
        discard: () => {
          this.#pending.delete(id);
          this.#log.discard(id);
        },
      });
    }
  }

  /** Show messages, whichever way they came, and ask for what is missing between them. */
  #take(messages, options) {
    this.#put(messages, options);
    this.#fillHoles();
  }

  /** Put messages on the page and return how many of them were new. */
  #put(messages, options) {
    const added = this.#timeline.add(messages);
    for (const message of added) {
      Object.assign(message, this.#early.get(message.seq));
      this.#early.delete(message.seq);
      if (message.author.key === this.#me.key) {
        this.#pending.delete(message.id);
      }
      if (message.image && !message.image.thumbnail) {
        setTimeout(() => this.#lookForThumbnail(message.seq), THUMBNAIL_MS);
      }
    }
    this.#log.show(added, options);
    return added.length;
  }

  async #lookForThumbnail(seq) {
    const waits = () => this.joined && this.#timeline.get(seq)?.image?.thumbnail === null;
    if (!waits()) {
      return;
    }
    try {
      const { messages: [{ image, removed }] } = await this.#history({ before: seq + 1, limit: 1 });
      if (removed || image.thumbnail) {
        this.#change(seq, { image, removed });
      } else if (waits()) {
        this.#log.failPicture(seq);
      }
    } catch (error) {
      console.info("no news of a thumbnail:", error.code);
    }
  }

  async #fillHoles() {
    if (this.#filling) {
      return;
    }
    this.#filling = true;
    try {
      for (let hole = this.#timeline.hole(); hole; hole = this.#timeline.hole()) {
        const limit = Math.min(MOST, hole.before - hole.after - 1);
        const { messages } = await this.#history({ before: hole.before, limit });
        if (this.#put(messages) === 0) {
          showError(gettext("Some messages are missing."), { kind: "history", reload: true });
          break;
        }
      }
    } catch (error) {
      // Disconnected: joining again brings what is missing.
      if (error.code !== "disconnected") {
        showError(gettext("Some messages are missing."), { kind: "history", reload: true });
      }
    } finally {
      this.#filling = false;
    }
  }

  async #catchUp(seq) {
    if (!this.joined || seq <= this.#timeline.last) {
      return;
    }
    try {
      const limit = Math.min(MOST, seq - this.#timeline.last);
      const { messages } = await this.#history({ before: seq + 1, limit });
      this.#take(messages);
    } catch (error) {
      if (error.code !== "disconnected") {
        showError(inWords(error), { kind: "history", reload: true });
      }
    }
  }

  #history(fields) {
    return this.#connection.request("chat", { type: "history", room: this.#room, ...fields });
  }

  #change(seq, fields) {
    const message = this.#timeline.get(seq);
    if (seq > this.#timeline.last) {
      // The news of a change may overtake the message.
      this.#early.set(seq, { ...this.#early.get(seq), ...fields });
    } else if (message && !message.removed) {
      this.#log.refresh(Object.assign(message, fields));
    }
  }
}
