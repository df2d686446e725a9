// Unsent messages: over a reload, over the end of a tab, with storage or without.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld } from "./world.mjs";

const HOUR = 3_600_000;

async function offline(clock, options = {}) {
  const server = new Server();
  const browser = Object.assign(new Browser(server, "u1"), options);
  const a = openTab(browser, "lobby");
  await clock.pass(300);
  server.down = true;
  server.closeAll(1006);
  return { server, browser, a };
}

const waiting = ({ room }) => room.pending.map(({ body, state }) => [body, state]);

test("after a reload unsent messages are shown as such, and go out in order", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  ["one", "two", "three"].forEach((body) => a.room.send(body));
  await clock.pass(100);
  a.tab.end();
  const b = openTab(browser, "lobby");
  await clock.pass(100);
  assert.deepEqual(waiting(b), [["one", "waiting"], ["two", "waiting"], ["three", "waiting"]]);
  assert.deepEqual(b.view.events.map(([, , body]) => body), ["one", "two", "three"]);
  b.room.send("four");
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(server.bodies("lobby"), ["one", "two", "three", "four"]);
  assert.deepEqual(b.view.shown(), ["one", "two", "three", "four"]);
  assert.deepEqual([waiting(b), browser.stored.size], [[], 0]);
}));

test("a message of a tab that dies goes to another one in the room, and only to one", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  const [b, c] = [openTab(browser, "lobby"), openTab(browser, "lobby")];
  await clock.pass(300);
  a.room.send("from a");
  await clock.pass(100);
  assert.deepEqual([waiting(b), waiting(c)], [[], []]);
  c.room.send("from c");
  a.tab.end({ crashed: true });
  await clock.pass(100);
  assert.deepEqual([...waiting(b), ...waiting(c)], [["from a", "waiting"], ["from c", "waiting"]]);
  assert.ok(c.room.pending.some(({ body }) => body === "from c"));
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(server.bodies("lobby").sort(), ["from a", "from c"]);
  assert.equal(server.heard.filter(([, , { type }]) => type === "send").length, 2);
  assert.equal(browser.stored.size, 0);
}));

test("a frozen tab's messages go out by another, and it shows them no longer when it thaws", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  a.room.send("from a");
  const b = openTab(browser, "lobby");
  await clock.pass(100);
  assert.deepEqual(waiting(b), []);
  a.tab.freeze();
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(b.view.shown(), ["from a"]);
  await a.tab.thaw();
  await clock.pass(1_000);
  assert.deepEqual([waiting(a), a.view.pending.size], [[], 0]);
  assert.deepEqual(a.view.shown(), ["from a"]);
  assert.equal(server.heard.filter(([, , { type }]) => type === "send").length, 1);
}));

test("a tab that comes back finds what another one did, though nobody told it", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock, { silent: true });
  a.room.send("from a");
  openTab(browser, "lobby");
  await clock.pass(100);
  a.tab.freeze();
  await clock.pass(100);
  await a.tab.thaw();
  assert.deepEqual([waiting(a), a.view.pending.size], [[], 0]);
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(server.bodies("lobby"), ["from a"]);
}));

test("what another tab has settled is no longer shown", () => inWorld(async (clock) => {
  const { browser, a } = await offline(clock);
  const b = openTab(browser, "lobby");
  a.room.send("from a");
  await clock.pass(100);
  const [name] = browser.stored.keys();
  b.tab.storage.removeItem(name);
  assert.deepEqual(waiting(a), []);
}));

test("what is taken over goes out before what was written later", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  const b = openTab(browser, "lobby");
  await clock.pass(100);
  a.room.send("first");
  await clock.pass(100);
  b.room.send("second");
  a.tab.end({ crashed: true });
  await clock.pass(100);
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(server.bodies("lobby"), ["first", "second"]);
}));

test("a message that failed is still there after a reload, with its reason", () => inWorld(async (clock) => {
  const server = new Server();
  const browser = new Browser(server, "u1");
  const a = openTab(browser, "lobby");
  server.refuse = ({ type }) => type === "send" && { code: "too_large", reason: "too long" };
  a.room.send("long");
  await clock.pass(300);
  a.tab.end();
  server.refuse = () => null;
  const b = openTab(browser, "lobby");
  await clock.pass(300);
  assert.deepEqual(b.room.pending.map(({ state, error }) => [state, error]), [["failed", { code: "too_large", reason: "too long" }]]);
  b.room.retry(b.room.pending[0].id);
  await clock.pass(300);
  assert.deepEqual([b.view.shown(), browser.stored.size], [["long"], 0]);
}));

test("what was written long ago is not sent without being asked for", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  a.room.send("lunch?");
  await clock.pass(100);
  a.tab.end();
  server.down = false;
  await clock.pass(25 * HOUR);
  const b = openTab(browser, "lobby");
  await clock.pass(300);
  assert.deepEqual(b.room.pending.map(({ state, error }) => [state, error.code]), [["failed", "expired"]]);
  b.room.discard(b.room.pending[0].id);
  assert.deepEqual([server.bodies("lobby"), browser.stored.size], [[], 0]);
}));

test("rooms do not mix", () => inWorld(async (clock) => {
  const { server, browser, a } = await offline(clock);
  a.room.send("for the lobby");
  await clock.pass(100);
  a.tab.end();
  server.down = false;
  const b = openTab(browser, "garden");
  await clock.pass(30_000);
  assert.deepEqual([waiting(b), server.bodies("garden")], [[], []]);
  b.tab.within(() => b.streams.join("lobby"));
  await clock.pass(300);
  assert.deepEqual(server.bodies("lobby"), ["for the lobby"]);
}));

for (const [name, options] of [["full", { full: true }], ["without locks", { noLocks: true }]]) {
  test(`with storage ${name} messages go out once all the same`, () => inWorld(async (clock) => {
    const { server, browser, a } = await offline(clock, options);
    const b = openTab(browser, "lobby");
    a.room.send("one");
    a.room.send("two");
    await clock.pass(100);
    server.down = false;
    await clock.pass(60_000);
    assert.deepEqual(server.bodies("lobby"), ["one", "two"]);
    assert.deepEqual([a.view.shown(), b.view.shown()], [["one", "two"], ["one", "two"]]);
    assert.deepEqual([waiting(a), waiting(b), browser.stored.size], [[], [], 0]);
  }));
}

test("without an outbox nothing is kept", () => inWorld(async (clock) => {
  const server = new Server();
  server.down = true;
  const browser = new Browser(server, "u1");
  const a = openTab(browser, "lobby", { outbox: false });
  await clock.pass(10);
  a.room.send("hello");
  assert.equal(browser.stored.size, 0);
  server.down = false;
  await clock.pass(30_000);
  assert.deepEqual(server.bodies("lobby"), ["hello"]);
}));

test("rubbish in the storage does no harm", () => inWorld(async (clock) => {
  const server = new Server();
  const browser = new Browser(server, "u1");
  browser.stored.set("streams:outbox:%2Fws%2F:u1:lobby:x", "{rubbish");
  browser.stored.set("streams:outbox:%2Fws%2F:u1:lobby:y", "null");
  const { streams, room } = openTab(browser, "lobby");
  await clock.pass(300);
  assert.deepEqual([streams.state.name, room.pending], ["connected", []]);
}));
