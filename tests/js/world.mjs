// Browsers with tabs, locks, channels and storage, as far as the library uses them.
//
// Time belongs to the world: setTimeout and Date.now follow its clock, so that hours pass at once and in the same way.

import { webcrypto } from "node:crypto";

// Global in browsers, and in Node only later than 18.
globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

const real = { setTimeout, clearTimeout, setInterval, clearInterval, now: Date.now, random: Math.random };

/** Let everything happen that is due now. */
export const settle = async () => {
  for (let turn = 0; turn < 40; turn += 1) {
    await Promise.resolve();
  }
};

/** A generator of numbers from 0 to 1 that gives the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Clock {
  #tasks = new Map();
  #last = 0;
  now = 1_700_000_000_000;

  install() {
    globalThis.setTimeout = (run, delay = 0) => this.#add(run, delay, 0);
    globalThis.setInterval = (run, delay) => this.#add(run, delay, Math.max(1, delay));
    globalThis.clearTimeout = globalThis.clearInterval = (id) => this.#tasks.delete(id);
    Date.now = () => this.now;
  }

  remove() {
    Object.assign(globalThis, {
      setTimeout: real.setTimeout,
      clearTimeout: real.clearTimeout,
      setInterval: real.setInterval,
      clearInterval: real.clearInterval,
    });
    Date.now = real.now;
    Math.random = real.random;
  }

  #add(run, delay, every) {
    this.#last += 1;
    this.#tasks.set(this.#last, { at: this.now + Math.max(0, delay), order: this.#last, run, every, tab: Tab.current });
    return this.#last;
  }

  /** Let so many milliseconds pass. */
  async pass(delay) {
    const end = this.now + delay;
    await settle();
    for (;;) {
      const due = [...this.#tasks].filter(([, { at, tab }]) => at <= end && !tab?.stopped);
      if (due.length === 0) {
        break;
      }
      const [id, task] = due.reduce((one, other) => (one[1].at <= other[1].at ? one : other));
      this.now = Math.max(this.now, task.at);
      if (task.every) {
        task.at += task.every;
      } else {
        this.#tasks.delete(id);
      }
      task.tab ? task.tab.within(task.run) : task.run();
      await settle();
    }
    this.now = end;
  }
}

/** The locks of a browser, as much of the LockManager as the library uses. */
class Locks {
  #queues = new Map();

  for(tab) {
    return { request: (...args) => this.#request(tab, ...args) };
  }

  #request(tab, name, ...rest) {
    const run = rest.at(-1);
    const { steal = false, signal } = rest.length > 1 ? rest[0] : {};
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const request = { tab, run, resolve, reject, held: false };
      const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });
      if (signal?.aborted) {
        reject(aborted);
        return;
      }
      signal?.addEventListener("abort", () => {
        if (!request.held) {
          this.#drop(name, request);
          reject(aborted);
        }
      });
      if (steal) {
        const [holder] = queue.filter(({ held }) => held);
        if (holder) {
          this.#drop(name, holder);
          holder.reject(aborted);
        }
        queue.unshift(request);
      } else {
        queue.push(request);
      }
      this.#grant(name);
    });
  }

  #grant(name) {
    const [first] = this.#queues.get(name);
    if (!first || first.held) {
      return;
    }
    first.held = true;
    // As in a browser: later, and not in a tab that does not run.
    queueMicrotask(() => first.tab.whenRunning(async () => {
      try {
        first.resolve(await first.run({ name }));
      } catch (error) {
        first.reject(error);
      }
      this.#drop(name, first);
      this.#grant(name);
    }));
  }

  #drop(name, request) {
    const queue = this.#queues.get(name);
    const index = queue.indexOf(request);
    if (index >= 0) {
      queue.splice(index, 1);
    }
  }

  /** A tab is gone: so is all that it held or waited for. */
  forget(tab) {
    for (const [name, queue] of this.#queues) {
      this.#queues.set(name, queue.filter((request) => request.tab !== tab));
      this.#grant(name);
    }
  }
}

/** The local storage of a browser, as one tab sees it: writes are told to the others. */
function storageOf(browser, tab) {
  const tell = (key, newValue) => {
    if (browser.silent) {
      return;
    }
    for (const other of browser.tabs) {
      if (other !== tab) {
        other.whenRunning(() => other.fire("storage", { key, newValue, storageArea: other.storage }));
      }
    }
  };
  const methods = {
    getItem: (key) => browser.stored.get(key) ?? null,
    setItem: (key, value) => {
      if (browser.full) {
        throw new Error("QuotaExceededError");
      }
      browser.stored.set(key, value);
      tell(key, value);
    },
    removeItem: (key) => {
      browser.stored.delete(key);
      tell(key, null);
    },
  };
  return new Proxy(methods, {
    // In no order that one could rely on.
    ownKeys: () => [...browser.stored.keys()].reverse(),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

/** One tab: its globals are in place while its code begins. */
export class Tab {
  static current = null;
  #browser;
  #events = new EventTarget();
  #waiting = [];
  stopped = false;
  hidden = false;
  frozen = false;

  constructor(browser) {
    this.#browser = browser;
    this.locks = browser.locks.for(this);
    this.storage = storageOf(browser, this);
  }

  /** Run something as a script of this tab. */
  within(run) {
    const before = Tab.current;
    Tab.current = this;
    const events = this.#events;
    const browser = this.#browser;
    const tab = this;
    const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    define("navigator", browser.noLocks ? {} : { locks: this.locks });
    define("localStorage", this.storage);
    define("BroadcastChannel", class extends Channel {
      constructor(name) {
        super(browser, tab, name);
      }
    });
    define("document", {
      get hidden() {
        return tab.hidden;
      },
      addEventListener: events.addEventListener.bind(events),
    });
    define("addEventListener", events.addEventListener.bind(events));
    define("removeEventListener", events.removeEventListener.bind(events));
    define("channels", { WebSocketBridge: browser.server.bridgeFor(browser, tab) });
    try {
      return run();
    } finally {
      Tab.current = before;
    }
  }

  fire(type, more = {}) {
    this.within(() => this.#events.dispatchEvent(Object.assign(new Event(type), more)));
  }

  /** Run now, or when this tab runs again; never if it is gone. */
  whenRunning(run) {
    this.stopped ? this.#waiting.push(run) : this.within(run);
  }

  /** Stop all of this tab at once, as a debugger or an endless loop does; `frozen` says so beforehand. */
  stop() {
    this.stopped = true;
  }

  freeze() {
    this.fire("freeze");
    this.stop();
  }

  async go() {
    this.stopped = false;
    for (const run of this.#waiting.splice(0)) {
      this.within(run);
      await settle();
    }
  }

  async thaw() {
    await this.go();
    this.fire("resume");
  }

  /** The tab is no more: closed by somebody, or `crashed`. */
  end({ crashed = false } = {}) {
    if (!crashed) {
      this.fire("pagehide", { persisted: false });
    }
    this.stopped = true;
    this.#browser.tabs.delete(this);
    this.#browser.locks.forget(this);
    this.#browser.server.tabGone(this);
  }
}

class Channel {
  #browser;
  #tab;
  #name;

  constructor(browser, tab, name) {
    [this.#browser, this.#tab, this.#name] = [browser, tab, name];
    browser.channels.add(this);
  }

  postMessage(data) {
    const copy = structuredClone(data);
    for (const channel of this.#browser.channels) {
      if (channel !== this && channel.#name === this.#name) {
        const receive = () => this.#browser.channels.has(channel) && channel.onmessage?.({ data: structuredClone(copy) });
        queueMicrotask(() => channel.#tab.whenRunning(receive));
      }
    }
  }

  close() {
    this.#browser.channels.delete(this);
  }
}

export class Browser {
  tabs = new Set();
  channels = new Set();
  locks = new Locks();
  stored = new Map();
  full = false;
  /** Whether no tab hears of what the others write: events of a tab that was put aside are not kept for it. */
  silent = false;
  noLocks = false;
  /** Whom the server takes this browser for. */
  key;

  constructor(server, key) {
    this.server = server;
    this.key = key;
  }

  /** Open a tab and run `script` in it; return both. */
  open(script) {
    const tab = new Tab(this);
    this.tabs.add(tab);
    return [tab, tab.within(script)];
  }
}

/** Run a test in a world of its own. */
export async function inWorld(run, { seed = 1 } = {}) {
  const clock = new Clock();
  clock.install();
  Math.random = seeded(seed);
  try {
    await run(clock);
  } finally {
    clock.remove();
  }
}
