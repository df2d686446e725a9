// Several tabs of one browser: one socket, whatever becomes of the tab that has it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld } from "./world.mjs";

const say = (server, body, room = "lobby") => server.post(room, { id: body, body, author: "u9" });
const open = (server) => [...server.sockets].map(({ tab, rooms }) => [tab, [...rooms].sort()]);

/** Two or more tabs in the rooms named, all of them there. */
async function tabs(clock, ...rooms) {
  const server = new Server();
  const browser = new Browser(server, "u1");
  const opened = [];
  for (const room of rooms) {
    opened.push(openTab(browser, room));
    await clock.pass(300);
  }
  return [server, browser, ...opened];
}

test("tabs in one room share a socket, and each reads everything once", () => inWorld(async (clock) => {
  const [server, , a, b, c] = await tabs(clock, "lobby", "lobby", "lobby");
  assert.equal(server.connections, 1);
  say(server, "hello");
  const sent = b.room.send("from b");
  await clock.pass(300);
  assert.equal((await sent).seq, 2);
  for (const { view, streams } of [a, b, c]) {
    assert.deepEqual(view.shown(), ["hello", "from b"]);
    assert.equal(streams.state.name, "connected");
  }
  // Only who wrote it sees it as under way.
  assert.deepEqual(a.view.events.filter(([type]) => type === "pending"), []);
}));

test("answers go to the tab that asked, and errors to nobody else", () => inWorld(async (clock) => {
  const [, , a, b] = await tabs(clock, "lobby", "lobby");
  const heard = [];
  a.tab.within(() => a.streams.on("chat", ({ type }) => heard.push(type)));
  await assert.rejects(Promise.all([b.streams.request("chat", { type: "nonsense" }), clock.pass(300)]), {
    code: "unknown_type",
  });
  const history = b.room.history();
  await clock.pass(300);
  await history;
  assert.deepEqual(heard, []);
}));

test("a stream that only a follower listens to reaches it", () => inWorld(async (clock) => {
  const [server, , , b] = await tabs(clock, "lobby", "lobby");
  const heard = [];
  b.tab.within(() => b.streams.on("news", (payload) => heard.push(payload.type)));
  await clock.pass(10);
  [...server.sockets][0].say("news", { type: "rain" });
  await clock.pass(100);
  assert.deepEqual(heard, ["rain"]);
}));

test("a room is left when the last tab that is in it leaves or is gone", () => inWorld(async (clock) => {
  const [server, , a, b, c] = await tabs(clock, "lobby", "lobby", "garden");
  assert.deepEqual(open(server), [[a.tab, ["garden", "lobby"]]]);
  const left = b.room.leave();
  await clock.pass(100);
  await left;
  assert.deepEqual(open(server), [[a.tab, ["garden", "lobby"]]]);
  c.tab.end({ crashed: true });
  await clock.pass(100);
  assert.deepEqual(open(server), [[a.tab, ["lobby"]]]);
  a.room.leave();
  await clock.pass(100);
  assert.deepEqual(open(server), [[a.tab, []]]);
}));

test("who leaves and joins at once is in the room, though frames overtake each other", () => inWorld(async (clock) => {
  const [server, , a] = await tabs(clock, "lobby");
  server.travel = (direction, stream, { type }) => [direction === "in" && type === "leave" ? 500 : 10];
  a.room.leave();
  const again = a.streams.join("lobby");
  await clock.pass(2_000);
  assert.ok(again.joined);
  assert.deepEqual(open(server), [[a.tab, ["lobby"]]]);
}));

test("a word of leaving that is lost is said again, and keeps nobody out", () => inWorld(async (clock) => {
  const [server, browser, a, b] = await tabs(clock, "lobby", "garden");
  server.travel = (direction, stream, { type }) => (type === "leave" ? [] : [10]);
  b.tab.end();
  await clock.pass(100);
  const c = openTab(browser, "garden");
  await clock.pass(5_000);
  assert.ok(c.room.joined);
  c.tab.end();
  await clock.pass(5_000);
  assert.deepEqual(open(server), [[a.tab, ["garden", "lobby"]]]);
  server.travel = () => [10];
  await clock.pass(26_000);
  assert.deepEqual(open(server), [[a.tab, ["lobby"]]]);
}));

for (const crashed of [false, true]) {
  test(`when the leader ${crashed ? "crashes" : "closes"} another leads, and nothing is lost`, () => inWorld(async (clock) => {
    const [server, , a, b, c] = await tabs(clock, "lobby", "lobby", "garden");
    say(server, "before");
    await clock.pass(100);
    a.tab.end({ crashed });
    say(server, "meanwhile");
    const sent = b.room.send("mine");
    await clock.pass(1_000);
    assert.equal(server.connections, 2);
    assert.deepEqual(open(server), [[b.tab, ["garden", "lobby"]]]);
    assert.equal((await sent).seq, 3);
    assert.deepEqual(b.view.shown(), ["before", "meanwhile", "mine"]);
    assert.equal(b.view.resets, 0);
    say(server, "there too", "garden");
    await clock.pass(100);
    assert.deepEqual(c.view.shown(), ["there too"]);
  }));
}

test("a leader that is frozen holds nobody up, and is a follower when it thaws", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  a.tab.freeze();
  say(server, "while a sleeps");
  await clock.pass(500);
  assert.deepEqual(b.view.shown(), ["while a sleeps"]);
  await a.tab.thaw();
  say(server, "a is back");
  await clock.pass(500);
  assert.deepEqual(a.view.shown(), ["while a sleeps", "a is back"]);
  assert.deepEqual(open(server), [[b.tab, ["lobby"]]]);
}));

test("a leader that stops without a word is overruled, and gives way when it runs again", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  a.tab.stop();
  say(server, "while a hangs");
  const sent = b.room.send("mine");
  await clock.pass(60_000);
  assert.deepEqual(b.view.shown(), ["while a hangs", "mine"]);
  await sent;
  await a.tab.go();
  say(server, "a is back");
  await clock.pass(5_000);
  assert.deepEqual(a.view.shown(), ["while a hangs", "mine", "a is back"]);
  assert.deepEqual(b.view.shown(), ["while a hangs", "mine", "a is back"]);
  assert.deepEqual(open(server), [[b.tab, ["lobby"]]]);
}));

test("nobody overrules a leader that answers, nor while nobody looks", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  await clock.pass(300_000);
  assert.equal(server.connections, 1);
  b.tab.hidden = true;
  a.tab.stop();
  await clock.pass(20_000);
  assert.equal(server.connections, 1);
}));

test("a frozen follower holds nobody up, and catches up when it thaws", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  b.tab.freeze();
  say(server, "while b sleeps");
  await clock.pass(60_000);
  assert.deepEqual(a.view.shown(), ["while b sleeps"]);
  await b.tab.thaw();
  await clock.pass(500);
  assert.deepEqual(b.view.shown(), ["while b sleeps"]);
  assert.equal(server.connections, 1);
}));

test("a lost connection is lost for all, and comes back for all", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  server.closeAll(1006);
  await clock.pass(1);
  assert.deepEqual([a, b].map(({ streams }) => streams.state.name), ["waiting", "waiting"]);
  say(server, "meanwhile");
  b.tab.within(() => b.streams.retry());
  await clock.pass(300);
  assert.deepEqual([a, b].map(({ view }) => view.shown()), [["meanwhile"], ["meanwhile"]]);
  assert.equal(server.connections, 2);
}));

test("a new leader comes back no sooner than the old one would have", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  [...server.sockets][0].say("system", { type: "disconnect", reconnect: true, after_ms: [5_000, 5_000] });
  await clock.pass(100);
  server.closeAll(1012);
  a.tab.end();
  await clock.pass(4_000);
  assert.equal(server.connections, 1);
  assert.deepEqual([b.streams.state.name, b.streams.state.advised], ["waiting", true]);
  await clock.pass(2_000);
  assert.equal(b.streams.state.name, "connected");
}));

test("who is sent away stays away in all tabs, until somebody opens a page", () => inWorld(async (clock) => {
  const [server, browser, a, b] = await tabs(clock, "lobby", "lobby");
  server.closeAll(4003);
  await clock.pass(60_000);
  assert.deepEqual([a, b].map(({ streams }) => [streams.state.name, streams.state.code]), [["closed", 4003], ["closed", 4003]]);
  a.tab.end();
  await clock.pass(60_000);
  assert.equal(server.connections, 1);
  const c = openTab(browser, "lobby");
  await clock.pass(500);
  assert.deepEqual([b, c].map(({ streams }) => streams.state.name), ["connected", "connected"]);
}));

test("another identity has another socket, and nobody speaks in its name", () => inWorld(async (clock) => {
  const [server, browser, a, b] = await tabs(clock, "lobby", "lobby");
  a.tab.within(() => server.closeAll(1006));
  const kept = a.room.send("said by u1");
  browser.key = "u2";
  await clock.pass(5_000);
  for (const { streams } of [a, b]) {
    assert.deepEqual([streams.state.name, streams.state.identity.key], ["closed", "u2"]);
  }
  const c = openTab(browser, "lobby");
  await clock.pass(500);
  assert.equal(c.streams.state.name, "connected");
  assert.deepEqual([c.room.pending, c.view.pending.size], [[], 0]);
  await clock.pass(60_000);
  assert.deepEqual(server.bodies("lobby"), []);
  // It waits for its author.
  a.tab.end();
  b.tab.end();
  c.tab.end();
  browser.key = "u1";
  const d = openTab(browser, "lobby");
  await clock.pass(500);
  assert.deepEqual(d.view.shown(), ["said by u1"]);
  assert.ok(kept);
}));

test("without locks every tab has a socket of its own", () => inWorld(async (clock) => {
  const server = new Server();
  const browser = new Browser(server, "u1");
  browser.noLocks = true;
  const opened = [openTab(browser, "lobby"), openTab(browser, "lobby")];
  await clock.pass(300);
  assert.equal(server.connections, 2);
  opened[0].room.send("hello");
  await clock.pass(300);
  assert.deepEqual(opened.map(({ view }) => view.shown()), [["hello"], ["hello"]]);
}));

test("a tab that closes its socket leaves it to the others", () => inWorld(async (clock) => {
  const [server, , a, b] = await tabs(clock, "lobby", "lobby");
  a.tab.within(() => a.streams.close());
  await clock.pass(500);
  assert.deepEqual([a.streams.state.name, b.streams.state.name], ["closed", "connected"]);
  assert.deepEqual(open(server), [[b.tab, ["lobby"]]]);
  a.tab.within(() => a.streams.open());
  await clock.pass(500);
  assert.equal(a.streams.state.name, "connected");
  assert.equal(server.connections, 2);
}));
