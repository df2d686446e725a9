// When the connection is tried again, and when it is not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld, seeded } from "./world.mjs";

async function connected(clock) {
  const server = new Server();
  const { tab, streams, room, view } = openTab(new Browser(server, "u1"), "lobby", { shared: false });
  await clock.pass(15_000);
  const states = [];
  streams.addEventListener("state", ({ detail }) => states.push({ ...detail, at: Date.now() }));
  return { server, tab, streams, room, view, states };
}

const waits = (states) => states.filter(({ name }) => name === "waiting").map(({ until, at }) => until - at);
const advise = (server, more) => [...server.sockets][0].say("system", { type: "disconnect", ...more });

test("waits are drawn from half a second to a bound that doubles up to twenty", () => inWorld(async (clock) => {
  for (const [draw, expected] of [
    [0, [500, 500, 500, 500, 500, 500]],
    [0.999999, [2_000, 4_000, 8_000, 16_000, 20_000, 20_000]],
  ]) {
    const { server, states } = await connected(clock);
    Math.random = () => draw;
    server.down = true;
    server.closeAll(1006);
    await clock.pass(80_000);
    assert.deepEqual(waits(states).slice(0, 6).map(Math.round), expected);
  }
}));

test("the advised moment is drawn from what the server says, once, and then as ever", () => inWorld(async (clock) => {
  const { server, tab, states } = await connected(clock);
  Math.random = () => 0.5;
  advise(server, { reconnect: true, after_ms: [1_000, 3_000] });
  await clock.pass(50);
  server.down = true;
  server.closeAll(1012);
  // What makes a page try at once otherwise would bring everybody back together.
  tab.fire("online");
  tab.fire("visibilitychange");
  await clock.pass(2_100);
  assert.deepEqual(waits(states), [2_000, 1_250]);
  assert.deepEqual(states.filter(({ name }) => name === "waiting").map(({ advised }) => advised), [true, false]);
}));

test("draws are spread over the whole time", () => inWorld(async (clock) => {
  const drawn = [];
  const random = seeded(5);
  for (let person = 0; person < 60; person += 1) {
    const { server, tab, states } = await connected(clock);
    Math.random = random;
    advise(server, { reconnect: true, after_ms: [500, 5_000] });
    await clock.pass(50);
    server.closeAll(1012);
    drawn.push(waits(states)[0]);
    tab.end();
  }
  assert.ok(drawn.every((wait) => wait >= 500 && wait <= 5_000));
  for (let from = 500; from < 5_000; from += 900) {
    assert.ok(drawn.filter((wait) => wait >= from && wait < from + 900).length >= 4, `nobody at ${from}: ${drawn}`);
  }
}));

for (const code of [1000, 1002, 1007, 4001, 4003]) {
  test(`after ${code} it stays away, until asked`, () => inWorld(async (clock) => {
    const { server, tab, streams } = await connected(clock);
    server.closeAll(code);
    tab.fire("online");
    await clock.pass(120_000);
    assert.deepEqual([streams.state.name, streams.state.code, server.connections], ["closed", code, 1]);
    tab.within(() => streams.retry());
    await clock.pass(100);
    assert.equal(streams.state.name, "connected");
  }));
}

test("who is not wanted back stays away", () => inWorld(async (clock) => {
  const { server, streams } = await connected(clock);
  advise(server, { reconnect: false });
  await clock.pass(50);
  server.closeAll(1012);
  await clock.pass(120_000);
  assert.deepEqual([streams.state.name, streams.state.advised], ["closed", true]);
}));

test("a network that is back, or somebody who looks, makes it try at once", () => inWorld(async (clock) => {
  for (const event of ["online", "visibilitychange"]) {
    const { server, tab, streams } = await connected(clock);
    Math.random = () => 0.9;
    server.closeAll(1006);
    tab.fire(event);
    await clock.pass(50);
    assert.equal(streams.state.name, "connected", event);
  }
}));

test("a connection on which nothing comes is given up after two silent heartbeats", () => inWorld(async (clock) => {
  const { server, streams } = await connected(clock);
  server.travel = () => [];
  await clock.pass(55_000);
  assert.equal(streams.state.name, "connected");
  await clock.pass(25_000);
  server.travel = () => [10];
  await clock.pass(30_000);
  assert.equal(streams.state.name, "connected");
  assert.equal(server.connections, 2);
}));

test("a server that lets in and closes again at once is not asked more and more often", () => inWorld(async (clock) => {
  const { server, states } = await connected(clock);
  Math.random = () => 0.999999;
  for (let round = 0; round < 4; round += 1) {
    server.closeAll(1013);
    await clock.pass(Math.round(waits(states).at(-1)) + 100);
  }
  assert.deepEqual(waits(states).map(Math.round), [2_000, 4_000, 8_000, 16_000]);
}));

test("a request is answered, refused, given up or cut short", () => inWorld(async (clock) => {
  const { server, streams, room } = await connected(clock);
  const ended = (promise) => promise.then(() => "answered", ({ code }) => code);
  const [good, bad] = [ended(room.request("history")), ended(room.request("nonsense"))];
  await clock.pass(100);
  assert.deepEqual([await good, await bad], ["answered", "unknown_type"]);
  const sent = [];
  server.travel = (direction, stream, { type }) => {
    if (direction === "in" && type === "history") {
      sent.push(clock.now);
    }
    return direction === "in" ? [10] : [];
  };
  const [began, unheard] = [clock.now, ended(room.request("history"))];
  await clock.pass(40_100);
  // Ever later, so that a server that is behind is not asked ever more.
  assert.deepEqual(sent.map((at) => Math.round((at - began) / 1000)), [0, 8, 24]);
  assert.equal(await unheard, "timeout");
  const cut = ended(room.request("history"));
  server.closeAll(1006);
  assert.equal(await cut, "disconnected");
  assert.equal(await ended(room.request("history")), "disconnected");
  assert.equal(streams.send("system", { type: "ping" }), false);
}));
