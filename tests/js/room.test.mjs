// One tab and its server: what is said arrives once and in order, whatever the line does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld } from "./world.mjs";

const ALONE = { shared: false };
const MINUTE = 60_000;

function alone(name = "lobby", options = {}) {
  const server = new Server();
  const browser = new Browser(server, "u1");
  return { server, browser, ...openTab(browser, name, { ...ALONE, ...options }) };
}

const settled = (promise) => {
  const result = {};
  promise.then((value) => Object.assign(result, { value }), (error) => Object.assign(result, { error }));
  return result;
};
const sent = (server) => server.heard.filter(([, , { type }]) => type === "send").map(([, , { body }]) => body);
const joins = (server) => server.heard.filter(([, , { type }]) => type === "join").map(([, , payload]) => payload);

test("a message is acknowledged, and the sender reads it like everybody", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  const first = settled(room.send("too early to be sent at once"));
  assert.deepEqual(room.pending.map(({ state }) => state), ["waiting"]);
  await clock.pass(500);
  const second = settled(room.send("hello"));
  assert.deepEqual(room.pending.map(({ state }) => state), ["sending"]);
  await clock.pass(500);
  assert.equal(first.value.seq, 1);
  assert.equal(second.value.seq, 2);
  assert.deepEqual(view.shown(), ["too early to be sent at once", "hello"]);
  assert.deepEqual(room.pending, []);
  assert.deepEqual(server.bodies("lobby"), view.shown());
}));

test("messages leave one at a time, and so stay in order though frames overtake each other", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  server.travel = () => [Math.random() * 900];
  const said = Array.from({ length: 30 }, (_, number) => `line ${number}`);
  said.forEach((body) => room.send(body));
  await clock.pass(2 * MINUTE);
  assert.deepEqual(server.bodies("lobby"), said);
  assert.deepEqual(view.shown(), said);
}, { seed: 7 }));

test("without an answer it is sent again under the same id, and stored once", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  let lost = 0;
  server.travel = (direction, stream, { type }) => (type === "ack" && (lost += 1) === 1) || type === "message" ? [] : [10];
  const answer = settled(room.send("hello"));
  await clock.pass(20_000);
  assert.equal(answer.value.seq, 1);
  assert.deepEqual(server.bodies("lobby"), ["hello"]);
  assert.deepEqual(sent(server), ["hello", "hello"]);
  // The message itself never came: it was asked for.
  assert.deepEqual(view.shown(), ["hello"]);
}));

test("somebody else's message under the same id is no answer", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  server.travel = (direction, stream, { type }) => (type === "send" ? [] : [10]);
  room.send("mine");
  server.post("lobby", { id: room.pending[0].id, body: "theirs", author: "u2" });
  await clock.pass(1_000);
  assert.deepEqual([view.shown(), room.pending.map(({ body }) => body)], [["theirs"], ["mine"]]);
  server.travel = () => [10];
  await clock.pass(10_000);
  assert.deepEqual(view.shown(), ["theirs", "mine"]);
}));

test("a message that nobody answers fails, and can be tried again or discarded", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  server.travel = (direction, stream, { type }) => (type === "send" ? [] : [10]);
  const [one, two] = [settled(room.send("one")), settled(room.send("two"))];
  await clock.pass(40_500);
  assert.equal(one.error.code, "timeout");
  await clock.pass(40_500);
  assert.deepEqual(room.pending.map(({ state, error }) => [state, error.code]), [["failed", "timeout"], ["failed", "timeout"]]);
  server.travel = () => [10];
  const again = settled(room.retry(room.pending[0].id));
  room.discard(room.pending[1].id);
  await clock.pass(1_000);
  assert.equal(again.value.seq, 1);
  assert.equal(two.error.code, "timeout");
  assert.deepEqual(server.bodies("lobby"), ["one"]);
  assert.deepEqual(view.pending.size, 0);
  await assert.rejects(room.retry("nothing of the kind"), { code: "not_found" });
}));

test("a refused message fails at once, says why, and holds up none of the others", () => inWorld(async (clock) => {
  const { server, room } = alone();
  await clock.pass(500);
  server.refuse = ({ type, body }) => type === "send" && body === "long" && { code: "too_large", reason: "too long" };
  const [refused, other] = [settled(room.send("long")), settled(room.send("short"))];
  await clock.pass(500);
  assert.deepEqual(refused.error, { code: "too_large", reason: "too long" });
  assert.equal(other.value.seq, 1);
  assert.deepEqual(room.pending.map(({ state, error }) => [state, error.reason]), [["failed", "too long"]]);
}));

test("who is too fast waits as long as asked, and what was said goes out in order", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  let until = Date.now() + 3_000;
  server.refuse = ({ type }) => type === "send" && Date.now() < until && { code: "too_fast", retry_after_ms: 3_000 };
  room.send("one");
  room.send("two");
  await clock.pass(2_000);
  assert.deepEqual(room.pending.map(({ state, error }) => [state, error?.code]), [["waiting", "too_fast"], ["sending", undefined]]);
  assert.equal(sent(server).length, 1);
  await clock.pass(2_000);
  assert.deepEqual(view.shown(), ["one", "two"]);
  assert.deepEqual(sent(server), ["one", "one", "two"]);
}));

test("what is missing is asked for: in between, at the end, and on a quiet line", () => inWorld(async (clock) => {
  const { server, view } = alone();
  await clock.pass(500);
  const say = (body) => server.post("lobby", { id: body, body, author: "u2" });
  const lose = (...bodies) => {
    server.travel = (direction, stream, { type, body }) => (type === "message" && bodies.includes(body) ? [] : [10]);
  };
  say("one");
  lose("two", "three");
  ["two", "three", "four"].forEach(say);
  await clock.pass(1_000);
  assert.deepEqual(view.shown(), ["one", "two", "three", "four"]);
  lose("five");
  say("five");
  await clock.pass(30_000);
  // The heartbeat told of it.
  assert.deepEqual(view.shown().at(-1), "five");
  assert.equal(view.resets, 0);
}));

test("what is lost while the answer to the join is under way is asked for too", () => inWorld(async (clock) => {
  const server = new Server();
  const say = (body) => server.post("lobby", { id: body, body, author: "u2" });
  say("one");
  server.travel = (direction, stream, { type, body }) => (body === "two" ? [] : [type === "joined" ? 800 : 10]);
  const { view } = openTab(new Browser(server, "u1"), "lobby", ALONE);
  await clock.pass(300);
  ["two", "three"].forEach(say);
  await clock.pass(1_000);
  assert.deepEqual(view.shown(), ["one", "two", "three"]);
}));

test("a change that got lost is found by the next one, and by the heartbeat", () => inWorld(async (clock) => {
  const { server, view } = alone();
  ["a", "b"].forEach((body) => server.post("lobby", { id: body, body, author: "u2" }));
  await clock.pass(500);
  server.travel = (direction, stream, { type, revision }) => (type === "changed" && revision !== 2 ? [] : [10]);
  server.edit("lobby", 1, "a, edited");
  server.edit("lobby", 2, "b, edited");
  await clock.pass(100);
  assert.deepEqual(view.shown(), ["a", "b, edited"]);
  await clock.pass(4_000);
  assert.deepEqual(view.shown(), ["a, edited", "b, edited"]);
  server.edit("lobby", 1, "a, again");
  await clock.pass(30_000);
  assert.deepEqual(view.shown(), ["a, again", "b, edited"]);
}));

test("after a lost connection it goes on where it stopped", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  server.post("lobby", { id: "x", body: "before", author: "u2" });
  await clock.pass(500);
  server.closeAll(1006);
  server.post("lobby", { id: "y", body: "meanwhile", author: "u2" });
  server.edit("lobby", 1, "before, edited");
  const answer = settled(room.send("mine"));
  assert.deepEqual(room.pending.map(({ state }) => state), ["waiting"]);
  await clock.pass(3_000);
  assert.equal(answer.value.seq, 3);
  assert.deepEqual(view.shown(), ["before, edited", "meanwhile", "mine"]);
  assert.deepEqual(joins(server)[1].since, { epoch: "epoch of lobby", seq: 1, revision: 0 });
  assert.ok(view.events.some(([type, how]) => type === "messages" && how === "recovered"));
  assert.equal(view.resets, 0);
}));

test("who cannot be brought up to date begins anew", () => inWorld(async (clock) => {
  const { server, view } = alone();
  server.post("lobby", { id: "x", body: "old", author: "u2" });
  await clock.pass(500);
  server.closeAll(1006);
  server.rooms.clear();
  server.room("lobby").epoch = "another";
  server.post("lobby", { id: "y", body: "new", author: "u2" });
  await clock.pass(3_000);
  assert.equal(view.resets, 1);
  assert.deepEqual(view.shown(), ["new"]);
}));

test("a room that the server has forgotten us in is joined again", () => inWorld(async (clock) => {
  const { server, view } = alone();
  await clock.pass(500);
  for (const socket of server.sockets) {
    socket.rooms.clear();
  }
  server.post("lobby", { id: "x", body: "unheard", author: "u2" });
  await clock.pass(30_000);
  assert.deepEqual(view.shown(), ["unheard"]);
}));

test("earlier messages come on request; what is far away is only returned", () => inWorld(async (clock) => {
  const server = new Server();
  for (let number = 1; number <= 300; number += 1) {
    server.post("lobby", { id: `m${number}`, body: `${number}`, author: "u2" });
  }
  const { room, view } = openTab(new Browser(server, "u1"), "lobby", ALONE);
  await clock.pass(500);
  assert.deepEqual([room.timeline.first, room.timeline.last], [251, 300]);
  const earlier = settled(room.history());
  await clock.pass(100);
  assert.deepEqual([earlier.value.more, room.timeline.first], [true, 201]);
  const far = settled(room.history({ around: 20, limit: 10 }));
  await clock.pass(100);
  assert.deepEqual(far.value.messages.map(({ seq }) => seq), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  assert.equal(view.shown().length, 100);
  assert.ok(view.events.some(([type, how, bodies]) => type === "messages" && how === "history" && bodies.length === 50));
}));

test("a room that is taken away stays away", () => inWorld(async (clock) => {
  const { server, room, view } = alone();
  await clock.pass(500);
  server.tell("lobby", { type: "left", reason: "not_allowed" });
  await clock.pass(100);
  assert.deepEqual(view.events.at(-1), ["left", { reason: "not_allowed" }]);
  await assert.rejects(room.send("anybody?"), { code: "left" });
  server.closeAll(1006);
  await clock.pass(5_000);
  assert.equal(joins(server).length, 1);
}));

test("what else the server says of a room is an event of that name", () => inWorld(async (clock) => {
  const { server, view } = alone();
  await clock.pass(500);
  server.tell("lobby", { type: "typing", who: "u2", for_ms: 5_000 });
  server.tell("another", { type: "typing", who: "u3", for_ms: 5_000 });
  await clock.pass(100);
  const heard = view.events.filter(([type]) => type === "typing").map(([, { who }]) => who);
  assert.deepEqual(heard, ["u2"]);
}));

test("a join that fails for the moment is tried again; one that is refused is not", () => inWorld(async (clock) => {
  const server = new Server();
  let code = "internal";
  server.refuse = ({ type }) => type === "join" && code && { code, reason: "because" };
  const { room, view } = openTab(new Browser(server, "u1"), "lobby", ALONE);
  await clock.pass(500);
  assert.deepEqual(view.events, [["error", { code: "internal", reason: "because", of: "join" }]]);
  code = "";
  await clock.pass(11_000);
  assert.ok(room.joined);
  code = "not_found";
  server.closeAll(1006);
  await clock.pass(MINUTE);
  assert.equal(room.joined, false);
  assert.equal(joins(server).length, 3);
}));

test("leaving says so, and the same name can be joined again", () => inWorld(async (clock) => {
  const { server, streams, room } = alone();
  await clock.pass(500);
  const done = settled(room.leave());
  await clock.pass(100);
  assert.ok("value" in done);
  const again = streams.join("lobby");
  assert.notEqual(again, room);
  await clock.pass(100);
  assert.ok(again.joined);
  assert.equal(streams.join("lobby"), again);
  assert.deepEqual([...[...server.sockets][0].rooms], ["lobby"]);
}));
