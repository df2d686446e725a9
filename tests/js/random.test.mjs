// Whatever happens: what was acknowledged is stored once, and everybody reads all of it, once and in order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld, seeded } from "./world.mjs";

const SEEDS = Number(process.env.STREAMS_SEEDS ?? 25);
const ROOMS = ["lobby", "garden"];

class Evening {
  constructor(clock, seed) {
    this.clock = clock;
    this.random = seeded(seed);
    this.server = new Server();
    this.browsers = [1, 2].map((number) => new Browser(this.server, `u${number}`));
    this.people = [];
    this.tabs = 0;
    this.said = [];
    this.server.travel = (direction, stream, payload) => this.#travel(payload);
    this.server.refuse = ({ type }) => type === "send" && this.random() < 0.1 && { code: "too_fast", retry_after_ms: 700 };
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  /** Frames are lost, doubled, and overtake each other. */
  #travel({ type }) {
    const draw = this.random();
    const late = () => 5 + this.random() * (draw > 0.9 ? 900 : 60);
    if (draw < 0.06 && type !== "pong") {
      return [];
    }
    return draw < 0.12 ? [late(), late()] : [late()];
  }

  async step() {
    const { server } = this;
    const doing = this.random();
    const running = this.people.filter(({ tab }) => !tab.stopped);
    const somebody = this.pick(running);
    if (doing < 0.12 && this.people.length < 7) {
      const browser = this.pick(this.browsers);
      const options = { shared: this.random() < 0.9 };
      this.people.push({ browser, name: this.tabs += 1, turn: 0, ...openTab(browser, this.pick(ROOMS), options) });
    } else if (doing < 0.55 && somebody) {
      const body = `${this.said.length} by ${somebody.browser.key}`;
      this.said.push({ body, room: somebody.room.name, by: `${somebody.name}, ${somebody.turn}` });
      somebody.tab.within(() => somebody.room.send(body)).then((answer) => this.acknowledged(body, answer), () => {});
    } else if (doing < 0.62) {
      server.closeAll(this.pick([1006, 1012, 1011]));
    } else if (doing < 0.66) {
      server.down = !server.down;
    } else if (doing < 0.72 && somebody && running.length > 1) {
      this.people.splice(this.people.indexOf(somebody), 1);
      somebody.tab.end({ crashed: this.random() < 0.5 });
    } else if (doing < 0.77 && somebody && running.length > 1) {
      this.random() < 0.5 ? somebody.tab.freeze() : somebody.tab.stop();
      // What it had written is another tab's now, and may come after what it writes later.
      somebody.turn += 1;
    } else if (doing < 0.85) {
      const asleep = this.people.find(({ tab }) => tab.stopped);
      await asleep?.tab.thaw();
    } else if (doing < 0.92) {
      const name = this.pick(ROOMS);
      const { entries } = server.room(name);
      if (entries.length > 0) {
        const { seq, body } = this.pick(entries);
        server.edit(name, seq, `${body.replace(/!+$/, "")}!`);
      }
    }
    await this.clock.pass(this.random() * 1_500);
  }

  acknowledged(body, { seq }) {
    this.acks = [...(this.acks ?? []), { body, seq }];
  }

  /** The line is good again, and every tab runs: wait until all is said. */
  async end() {
    this.server.down = false;
    this.server.travel = () => [10];
    this.server.refuse = () => null;
    for (const { tab } of this.people) {
      if (tab.stopped) {
        await tab.thaw();
      }
    }
    // Those whose tab is no more have left their messages to whoever comes next.
    for (const browser of this.browsers) {
      for (const name of ROOMS) {
        this.people.push({ browser, ...openTab(browser, name) });
        await this.clock.pass(100);
      }
    }
    await this.clock.pass(240_000);
  }

  check(label) {
    const plain = (body) => body.replace(/!+$/, "");
    for (const name of ROOMS) {
      const { entries } = this.server.room(name);
      const stored = entries.map(({ body }) => plain(body));
      assert.deepEqual(new Set(stored).size, stored.length, `${label}: stored twice`);
      const lost = this.said.filter(({ body, room }) => room === name && !stored.includes(body));
      for (const { by } of this.said) {
        const order = stored.filter((body) => this.said.find((one) => one.body === body).by === by).map(parseFloat);
        assert.deepEqual(order, [...order].sort((one, other) => one - other), `${label}: out of order`);
      }
      const failed = this.people.flatMap(({ room }) => room.pending.map(({ body }) => body));
      assert.deepEqual(lost.filter(({ body }) => !failed.includes(body)), [], `${label}: lost`);
      for (const { room, view, tab } of this.people.filter((one) => one.room.name === name)) {
        const { first } = room.timeline;
        assert.ok(room.joined && !tab.stopped, `${label}: not in ${name}`);
        assert.deepEqual(view.shown(), entries.slice(Math.max(0, first - 1)).map(({ body }) => body), `${label}: read`);
      }
    }
    for (const { body, seq } of this.acks ?? []) {
      const { room } = this.said.find((one) => one.body === body);
      assert.equal(plain(this.server.room(room).entries[seq - 1].body), body, `${label}: acknowledged`);
    }
  }
}

test(`${SEEDS} evenings full of losses, deaths and returns`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    await inWorld(async (clock) => {
      const evening = new Evening(clock, seed);
      for (let step = 0; step < 60; step += 1) {
        await evening.step();
      }
      await evening.end();
      evening.check(`seed ${seed}`);
    }, { seed });
  }
});
