// Notifications: of what is meant for oneself, while nobody looks at the page, once for all tabs, and only if asked for.

import { identity, slug as openSlug, urlFor } from "./config.js";
import { fill, gettext } from "./i18n.js";
import { preference, roomChoice } from "./preferences.js";
import { chime } from "./sound.js";
import { load, save } from "./storage.js";

const TOLD = `chat:told:${identity?.key}`;
// So long a hidden tab waits for one in sight to say that the message has been seen there.
const GRACE_MS = 300;
// A head does not say whose message it is: so long we wait for news that we have read it, perhaps written it, elsewhere.
const READ_MS = 2_000;
const LONGEST = 140;

/** Ask the browser for leave, on a click; return the promise of whether it was given. */
export async function allowed() {
  return "Notification" in globalThis && (await Notification.requestPermission()) === "granted";
}

/** Tell of what comes on `streams` and into `room`, the open one or null. `rooms` knows names, and what is unread. */
export function prepareNotifications(streams, room, rooms) {
  const notifier = new Notifier(rooms);
  room?.addEventListener("messages", ({ detail: { messages, how } }) => {
    if (how === "live") {
      messages.forEach((message) => notifier.message(message));
    }
  });
  streams.on("rooms", (payload) => {
    if (payload.type === "heads") {
      notifier.heads(payload.heads);
    } else if (payload.type === "mention") {
      notifier.mention(payload);
    }
  });
}

class Notifier {
  #rooms;

  constructor(rooms) {
    this.#rooms = rooms;
  }

  /** A message has come into the open room. */
  message(message) {
    if (message.author.key === identity.key) {
      return;
    }
    const personal = message.mentions?.includes(identity.key) || this.#rooms.isDirect(message.room);
    const text = message.body || gettext("A picture");
    this.#tell(message.room, message.seq, { personal, who: message.author.name, text });
  }

  /** Somebody named us, in whichever room; `by` is their name. In the open one the message itself tells of it. */
  mention({ room, seq, by }) {
    if (room === openSlug) {
      return;
    }
    const who = by?.name ?? by;
    this.#tell(room, seq, { personal: true, who, text: fill(gettext("%(name)s mentioned you"), { name: who }) });
  }

  /** Rooms have new last messages: `{slug: seq}`. */
  heads(heads) {
    for (const [slug, seq] of Object.entries(heads)) {
      if (slug !== openSlug) {
        this.#tell(slug, seq, { personal: this.#rooms.isDirect(slug), text: gettext("There are new messages."), wait: READ_MS });
      }
    }
  }

  async #tell(slug, seq, { personal = false, who, text, wait = GRACE_MS }) {
    const choice = roomChoice(slug);
    const wanted = choice === "all" || (choice === "mentions" && personal);
    if (!wanted || !preference("notify") || globalThis.Notification?.permission !== "granted") {
      return;
    }
    const seen = !document.hidden && slug === openSlug;
    if (!seen) {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    if (wait === READ_MS && !this.#rooms.isUnread(slug)) {
      return;
    }
    if ((await claim(slug, seq)) && !seen && document.hidden) {
      const room = this.#rooms.nameOf(slug) ?? gettext("Channels Chat");
      await show(who ? fill(gettext("%(name)s in %(room)s"), { name: who, room }) : room, text, slug);
      if (preference("sound")) {
        chime();
      }
    }
  }
}

/** Return whether this tab is the first to speak of message `seq`, or of a later one: one tells, the others keep still. */
async function claim(slug, seq) {
  const take = () => {
    const told = load("localStorage", TOLD) ?? {};
    if (told[slug] >= seq) {
      return false;
    }
    save("localStorage", TOLD, { ...told, [slug]: seq });
    return true;
  };
  return navigator.locks ? navigator.locks.request(TOLD, take) : take();
}

async function show(title, text, slug) {
  const options = { body: [...text].slice(0, LONGEST).join(""), tag: slug, data: { url: urlFor("room", slug) } };
  try {
    const shown = new Notification(title, options);
    shown.addEventListener("click", () => {
      globalThis.focus();
      shown.close();
      if (slug !== openSlug) {
        location.href = options.data.url;
      }
    });
  } catch {
    // Android's browsers let only service workers do it.
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.showNotification(title, options);
  }
}
