// One room on the wire: joining, talking, earlier messages, and whatever was missed.

import { between } from "./ids.js";
import { Keeper } from "./keeper.js";
import { Outbox } from "./outbox.js";
import { Revisions } from "./revisions.js";
import { Timeline } from "./timeline.js";

// Messages in one answer, at most.
const MOST = 100;
// How long a message or a change may be under way, after we heard that it exists, before we ask for it.
const LATE_MS = 2_500;
// Milliseconds before a join that failed for the moment is tried again.
const AGAIN = [2_000, 10_000];
const FOR_THE_MOMENT = new Set(["too_fast", "timeout", "internal"]);
// What the server answers or says of the room itself; everything else that it says there becomes an event.
const OWN = new Set(["ack", "done", "error", "history", "joined", "messages", "pending", "reset"]);

/**
 * Events, each with its detail: `joined` (the server's answer), `messages` ({messages, how}: "live", "history" or
 * "recovered"), `changed` ({message}), `reset` (none: forget what was shown), `pending` ({id, body, at, state, error}),
 * `left` ({reason}), `error` ({code, reason, of}: "join" or "history"), and whatever else the server says of this room
 * under the name of its type, as `typing`.
 */
export class Room extends EventTarget {
  #streams;
  #stream;
  #tab;
  #outbox;
  #keeper = null;
  #epoch = null;
  #revisions = new Revisions();
  #joining = false;
  #filling = false;
  #noticed = 0;
  #timer = 0;
  #left = false;
  /** The name of the room. */
  name;
  joined = false;
  timeline = new Timeline();

  /** Made by Streams.join. `streams` offers request(stream, payload), `stream` is the one that the room is on. */
  constructor(streams, name, { stream, tab }) {
    super();
    this.#streams = streams;
    this.#stream = stream;
    this.#tab = tab;
    this.name = name;
    this.#outbox = new Outbox({
      owner: tab.id,
      transmit: ({ id, body }) => this.request("send", { id, body }),
      tell: (entry) => this.#pending(entry),
    });
  }

  /** What was written here and is not stored yet: {id, body, at, state, error}, oldest first. */
  get pending() {
    return this.#outbox.entries;
  }

  /**
   * Send a text and return the promise of {id, seq}, kept when it is stored. The text survives a reload of the page.
   * Of a command, such as "/remind 10m tea", it is the promise of {id, done} instead: what the server says that it did.
   */
  send(body) {
    return this.#left ? Promise.reject({ code: "left" }) : this.#outbox.add(body);
  }

  retry(id) {
    return this.#outbox.retry(id);
  }

  discard(id) {
    this.#outbox.discard(id);
  }

  /** Send a request of this room and return the promise of the answer. */
  request(type, fields = {}) {
    return this.#streams.request(this.#stream, { type, room: this.name, ...fields });
  }

  /**
   * Return the promise of {messages, more}. Without a place it is what comes before the first message known.
   *
   * What meets the messages known joins them, and is told by `messages`; what stands apart is only returned.
   */
  async history({ before, after, around, limit } = {}) {
    const place = [before, after, around].some((number) => number !== undefined) ? {} : { before: this.timeline.first };
    const answer = await this.request("history", { before, after, around, limit, ...place });
    if (answer.messages.length > 0 && this.timeline.meets(answer.messages)) {
      this.#take(answer.messages, "history");
      this.#fillHoles();
    }
    return answer;
  }

  /** Note that the room has got as far as message `seq` and change `revision`: what does not come is asked for. */
  notice({ seq = 0, revision = 0 }) {
    if (this.joined && (seq > this.timeline.last || revision > this.#revisions.latest)) {
      this.#noticed = Math.max(this.#noticed, seq);
      this.#catchUpLater(revision);
    }
  }

  /** Leave the room. What waits to be sent is kept where there is storage, for the next time. */
  async leave() {
    const { joined } = this;
    this.#goOut();
    this.#keeper?.pause();
    this.#streams.forget(this);
    if (joined) {
      await this.request("leave");
    }
  }

  // --- What Streams calls ---

  /** Keep unsent messages in `store`, those that other tabs left there too. */
  keep(store) {
    this.#keeper ??= new Keeper(this.#outbox, store, this.#tab);
  }

  /** The page is put `aside`, or it is back. */
  putAside(aside) {
    aside ? this.#keeper?.pause() : this.#keeper?.resume();
  }

  /** There is a connection: join, or join again. */
  async enter() {
    if (this.#left || this.#joining) {
      return;
    }
    this.#joining = true;
    clearTimeout(this.#timer);
    const { timeline } = this;
    const known = { epoch: this.#epoch, seq: timeline.complete, revision: this.#revisions.latest };
    const since = timeline.size ? known : undefined;
    try {
      this.#entered(await this.request("join", { since }), since);
    } catch (error) {
      this.#notEntered(error);
    } finally {
      this.#joining = false;
    }
  }

  /** There is no connection any more. */
  lost() {
    this.joined = false;
    clearTimeout(this.#timer);
    this.#outbox.stop();
  }

  /** Take in a payload of the room's stream. */
  receive(payload) {
    if (payload.type === "message") {
      this.#message(payload);
    } else if (payload.type === "changed") {
      this.#changed(payload);
    } else if (payload.type === "left") {
      // Without an id nobody asked for it: the room is taken from us.
      if (payload.id === undefined) {
        this.#goOut();
        this.#tell("left", { reason: payload.reason });
      }
    } else if (!OWN.has(payload.type)) {
      this.#tell(payload.type, payload);
    }
  }

  /** Take in what a heartbeat says of this room: {seq, revision}, or undefined if we are not in it, as the server sees it. */
  beat(head) {
    if (this.joined && !head) {
      this.enter();
    } else if (head) {
      this.notice(head);
    }
  }

  #entered(answer, since) {
    if (this.#left) {
      return;
    }
    if (since && !answer.recovered) {
      // Never a patchwork: what we have may have holes that nobody can fill.
      this.timeline.clear();
      this.#revisions.clear();
      this.#tell("reset", null);
    }
    this.joined = true;
    this.#epoch = answer.epoch;
    this.#revisions.reach(answer.revision ?? 0);
    this.#tell("joined", answer);
    this.#take(answer.messages, since && answer.recovered ? "recovered" : "history");
    for (const message of answer.changed ?? []) {
      this.#change(message);
    }
    this.#fillHoles();
    this.#outbox.start();
  }

  #notEntered(error) {
    // Disconnected: the next welcome joins again.
    if (error.code === "disconnected" || this.#left) {
      return;
    }
    if (FOR_THE_MOMENT.has(error.code)) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.enter(), error.retry_after_ms ?? between(...AGAIN));
    }
    if (error.code !== "too_fast") {
      this.#tell("error", { code: error.code, reason: error.reason, of: "join" });
    }
  }

  #message(payload) {
    this.#take([payload], "live");
    if (payload.author.key === this.#streams.key) {
      this.#outbox.stored(payload.id, payload);
    }
    this.#fillHoles();
  }

  #changed({ revision, message }) {
    this.#change(message);
    if (this.#revisions.note(revision)) {
      this.#catchUpLater(revision);
    }
  }

  #change(fields) {
    const message = this.timeline.change(fields);
    if (message) {
      this.#tell("changed", { message });
    }
  }

  #take(messages, how) {
    const { added, changed } = this.timeline.add(messages);
    for (const message of added) {
      if (message.author.key === this.#streams.key) {
        this.#outbox.stored(message.id, message);
      }
    }
    if (added.length > 0) {
      this.#tell("messages", { messages: added, how });
    }
    for (const message of changed) {
      this.#tell("changed", { message });
    }
    return added.length;
  }

  #pending(entry) {
    this.#tell("pending", entry);
    if (entry.state === "stored" && entry.seq !== undefined) {
      this.notice({ seq: entry.seq });
    }
  }

  /** See in a moment whether message number #noticed or change `revision` has come by itself. */
  #catchUpLater(revision) {
    setTimeout(() => {
      if (this.joined && (this.#noticed > this.timeline.last || revision > this.#revisions.latest)) {
        this.enter();
      }
    }, LATE_MS);
  }

  async #fillHoles() {
    if (this.#filling) {
      return;
    }
    this.#filling = true;
    try {
      for (let hole = this.timeline.hole(); hole && this.joined; hole = this.timeline.hole()) {
        const limit = Math.min(MOST, hole.before - hole.after - 1);
        const { messages } = await this.request("history", { before: hole.before, limit });
        if (this.#take(messages, "recovered") === 0 && this.timeline.hole()?.before === hole.before) {
          this.#tell("error", { code: "missing", of: "history" });
          break;
        }
      }
    } catch (error) {
      // Disconnected: joining again brings what is missing.
      if (error.code !== "disconnected") {
        this.#tell("error", { code: error.code, reason: error.reason, of: "history" });
      }
    } finally {
      this.#filling = false;
    }
  }

  #goOut() {
    this.lost();
    this.#left = true;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
