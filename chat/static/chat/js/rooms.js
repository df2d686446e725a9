// The list of rooms: names, unread counts, and rooms that come and go.

import { urlFor } from "./config.js";
import { byId, copyOf, partsOf } from "./dom.js";
import { fill, language, ngettext } from "./i18n.js";

const MOST_SHOWN = 99;

export class Rooms {
  #rooms = new Map();
  #read = new Map();
  #mentions = new Map();
  #markers;
  #current;
  #title = document.title;

  /** `current` is the slug of the open room, or null. */
  constructor(rooms, markers, current) {
    this.#markers = markers;
    this.#current = current;
    this.replace(rooms);
  }

  /** Show exactly these rooms: after a reconnect, when changes were missed. */
  replace(rooms) {
    const ids = new Set(rooms.map(({ id }) => id));
    for (const id of this.#rooms.keys()) {
      if (!ids.has(id)) {
        this.#remove(id);
      }
    }
    for (const room of rooms) {
      this.#put(room);
    }
    this.#showTotal();
  }

  /** Take in a payload of the rooms stream and return the room, as it is now, or null. */
  receive({ action, pk, data }) {
    if (action === "delete") {
      this.#remove(pk);
    } else if (action === "create" || (action === "update" && this.#rooms.has(pk))) {
      this.#put({ ...data, id: pk, unread: 0 });
    }
    this.#showTotal();
    return this.#rooms.get(pk) ?? null;
  }

  /** Take in the last numbers of rooms, by slug. Of rooms that are not in the list nothing is shown. */
  receiveHeads(heads) {
    for (const room of this.#rooms.values()) {
      if (heads[room.slug] > room.last_seq) {
        room.last_seq = heads[room.slug];
        this.#showUnread(room);
      }
    }
    this.#showTotal();
  }

  /** Take in how far one has read on another device: {room, seq, mentions}. */
  receiveRead({ room: slug, seq, mentions }) {
    const room = this.#bySlug(slug);
    if (room) {
      this.#read.set(room.id, Math.max(seq, this.#read.get(room.id)));
      this.#mentions.set(room.id, mentions);
      this.#showUnread(room);
      this.#showTotal();
    }
  }

  /** Note that somebody mentions us in message number `seq` of the room called `slug`. */
  receiveMention({ room: slug, seq }) {
    const room = this.#bySlug(slug);
    if (room && seq > this.#read.get(room.id)) {
      this.#mentions.set(room.id, this.#mentions.get(room.id) + 1);
      this.#showUnread(room);
      this.#showTotal();
    }
  }

  /** Note that the open room has been read up to number `seq`. */
  markRead(seq) {
    const room = this.open;
    // A room that one never opened has nothing unread, but may have mentions.
    if (room && (seq > this.#read.get(room.id) || this.#mentions.get(room.id) > 0)) {
      this.#read.set(room.id, seq);
      this.#markers.move(room, seq);
      if (seq >= room.last_seq) {
        this.#mentions.set(room.id, 0);
      }
      this.#showUnread(room);
      this.#showTotal();
    }
  }

  get open() {
    return [...this.#rooms.values()].find(({ slug }) => slug === this.#current);
  }

  /** The number up to which the open room had been read, or null. */
  get lastRead() {
    return this.open ? this.#read.get(this.open.id) : null;
  }

  isDirect(slug) {
    return Boolean(this.#bySlug(slug)?.direct);
  }

  isUnread(slug) {
    const room = this.#bySlug(slug);
    return room !== undefined && this.#unread(room) > 0;
  }

  nameOf(slug) {
    return this.#bySlug(slug)?.name;
  }

  #bySlug(slug) {
    return [...this.#rooms.values()].find((room) => room.slug === slug);
  }

  #put(room) {
    const known = this.#rooms.get(room.id);
    // Only lists have mentions. They know what was read on other devices while there was no connection.
    const listed = room.mentions !== undefined;
    const readElsewhere = listed && typeof room.unread === "number" ? room.last_seq - room.unread : 0;
    // News of the number come by another way, and may be newer than this.
    room.last_seq = Math.max(room.last_seq, known?.last_seq ?? 0);
    this.#rooms.set(room.id, room);
    if (!known) {
      this.#read.set(room.id, this.#markers.start(room));
    }
    this.#read.set(room.id, Math.max(this.#read.get(room.id), readElsewhere));
    if (!known || listed) {
      this.#mentions.set(room.id, room.mentions ?? 0);
    }
    if (!listOf(room).querySelector(`[data-room="${room.id}"]`)) {
      this.#insert(room);
    }
    if (known?.name !== room.name || known?.topic !== room.topic || known?.private !== room.private) {
      this.#describe(room);
    }
    this.#showUnread(room);
  }

  #insert(room) {
    const item = copyOf("room");
    item.dataset.room = room.id;
    if (room.slug === this.#current) {
      item.querySelector("a").setAttribute("aria-current", "page");
    }
    const later = [...listOf(room).children].find((other) => {
      return this.#rooms.get(Number(other.dataset.room))?.name.localeCompare(room.name, language) > 0;
    });
    listOf(room).insertBefore(item, later ?? null);
  }

  #describe(room) {
    for (const item of this.#items(room.id)) {
      item.querySelector("a").href = urlFor("room", room.slug);
      item.querySelector("[data-field=name]").textContent = room.name;
      const topic = item.querySelector("[data-field=topic]");
      if (topic) {
        topic.textContent = room.topic;
      }
      const sign = item.querySelector(".room-sign");
      sign.replaceChildren(partsOf(room.direct ? "person-icon" : room.private ? "lock" : "hash"));
    }
    if (room.slug === this.#current) {
      this.#title = this.#title.replace(byId("room-name").textContent, () => room.name);
      byId("room-name").textContent = room.name;
      byId("room-topic").textContent = room.topic;
      byId("room-topic").hidden = !room.topic;
    }
  }

  #remove(id) {
    this.#rooms.delete(id);
    this.#mentions.delete(id);
    for (const item of this.#items(id)) {
      item.remove();
    }
  }

  #unread({ id, last_seq: last }) {
    return Math.max(0, last - this.#read.get(id));
  }

  #showUnread(room) {
    const count = this.#unread(room);
    const text = ngettext(", %(count)s unread message", ", %(count)s unread messages", count);
    for (const item of this.#items(room.id)) {
      const badge = item.querySelector("[data-unread]");
      item.classList.toggle("has-unread", count > 0);
      badge.hidden = count === 0;
      badge.querySelector("[data-count]").textContent = count > MOST_SHOWN ? `${MOST_SHOWN}+` : String(count);
      badge.querySelector("[data-spoken]").textContent = fill(text, { count });
      // The home page has cards of rooms besides, without this badge.
      for (const mentions of item.querySelectorAll("[data-mentions]")) {
        this.#showMentions(mentions, this.#mentions.get(room.id));
      }
    }
  }

  #showMentions(badge, count) {
    const text = ngettext(", %(count)s mentions you", ", %(count)s mention you", count);
    badge.hidden = count === 0;
    badge.querySelector("[data-count]").textContent = `@${count > MOST_SHOWN ? `${MOST_SHOWN}+` : count}`;
    badge.querySelector("[data-spoken]").textContent = fill(text, { count });
  }

  #showTotal() {
    const counts = [...this.#rooms.values()].map((room) => [room.slug === this.#current, this.#unread(room)]);
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    const mentions = [...this.#rooms.keys()].reduce((sum, id) => sum + this.#mentions.get(id), 0);
    const news = [total || null, mentions && `@${mentions}`].filter(Boolean).join(" ");
    document.title = news ? `(${news}) ${this.#title}` : this.#title;
    byId("rooms-empty").hidden = byId("rooms").children.length > 0;
    byId("direct-section").hidden = byId("direct").children.length === 0;
    byId("unread-elsewhere").hidden = !counts.some(([here, count]) => !here && count);
  }

  #items(id) {
    return document.querySelectorAll(`[data-room="${id}"]`);
  }
}

/** Rooms and direct conversations stand under headings of their own. */
function listOf(room) {
  return byId(room.direct ? "direct" : "rooms");
}
