// Texts that are commands: the server does something in place of storing them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTab } from "./library.mjs";
import { Server } from "./server.mjs";
import { Browser, inWorld } from "./world.mjs";

test("a command is done with when the server has done it, and is no message", () => inWorld(async (clock) => {
  const server = new Server();
  const serve = server.serve.bind(server);
  server.serve = (socket, stream, payload) => {
    if (payload.type === "send" && payload.body.startsWith("/")) {
      socket.say(stream, { type: "done", id: payload.id, action: "remind", room: payload.room, text: "tea" });
    } else {
      serve(socket, stream, payload);
    }
  };
  const { room, view } = openTab(new Browser(server, "u1"), "lobby", { shared: false });
  const told = [];
  room.addEventListener("pending", ({ detail }) => told.push(detail));
  await clock.pass(500);
  let answer;
  room.send("/remind 10m tea").then((value) => (answer = value));
  room.send("and this is said");
  await clock.pass(2_000);
  assert.equal(answer.done.action, "remind");
  assert.deepEqual(room.pending, []);
  assert.deepEqual(view.shown(), ["and this is said"]);
  const last = told.filter(({ id }) => id === answer.id).at(-1);
  assert.deepEqual([last.state, last.done.text], ["discarded", "tea"]);
}));
