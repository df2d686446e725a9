import assert from "node:assert/strict";
import { test } from "node:test";

import { Revisions } from "../../chat/static/chat/streams/revisions.js";
import { Timeline } from "../../chat/static/chat/streams/timeline.js";
import { seeded } from "./world.mjs";

const message = (seq, more = {}) => ({ seq, body: `body ${seq}`, revision: 0, ...more });
const numbers = (timeline) => timeline.messages.map(({ seq }) => seq);

test("each message is told once, in order, and holes are found", () => {
  const timeline = new Timeline();
  assert.deepEqual(timeline.add([message(3), message(1), message(3)]).added.map(({ seq }) => seq), [1, 3]);
  assert.deepEqual(timeline.hole(), { after: 1, before: 3 });
  assert.equal(timeline.complete, 1);
  assert.deepEqual(timeline.add([message(1), message(2)]).added.map(({ seq }) => seq), [2]);
  assert.equal(timeline.hole(), null);
  assert.equal(timeline.complete, 3);
  assert.deepEqual(numbers(timeline), [1, 2, 3]);
});

test("a hole may open before what was whole", () => {
  const timeline = new Timeline();
  timeline.add([message(5), message(6), message(7)]);
  assert.equal(timeline.hole(), null);
  timeline.add([message(2)]);
  assert.deepEqual(timeline.hole(), { after: 2, before: 5 });
});

test("a change that comes before its message is not forgotten", () => {
  const timeline = new Timeline();
  assert.equal(timeline.change(message(1, { body: "new", revision: 2 })), null);
  const { added } = timeline.add([message(1)]);
  assert.deepEqual(added.map(({ body, revision }) => [body, revision]), [["new", 2]]);
});

test("what is older than what is known changes nothing", () => {
  const timeline = new Timeline();
  timeline.add([message(1, { body: "new", revision: 5 })]);
  assert.equal(timeline.change(message(1, { body: "old", revision: 4 })), null);
  assert.deepEqual(timeline.add([message(1)]), { added: [], changed: [] });
  assert.equal(timeline.get(1).body, "new");
  assert.equal(timeline.change(message(1, { body: "newest", revision: 6 })).body, "newest");
});

test("history that is newer than what was told counts as a change", () => {
  const timeline = new Timeline();
  timeline.add([message(1)]);
  assert.deepEqual(timeline.add([message(1, { body: "edited", revision: 1 })]).changed.map(({ body }) => body), ["edited"]);
});

test("messages far away do not meet what is known", () => {
  const timeline = new Timeline();
  assert.ok(timeline.meets([message(7)]));
  timeline.add([message(10), message(11)]);
  assert.ok(timeline.meets([message(8), message(9)]));
  assert.ok(timeline.meets([message(12)]));
  assert.ok(!timeline.meets([message(7), message(8)]));
  assert.ok(!timeline.meets([message(13)]));
});

test("revisions may come out of turn", () => {
  const revisions = new Revisions();
  revisions.reach(4);
  assert.ok(revisions.note(6));
  assert.ok(!revisions.note(5));
  assert.equal(revisions.latest, 6);
  assert.ok(!revisions.note(3));
  assert.ok(revisions.note(9));
  revisions.reach(8);
  assert.equal(revisions.latest, 9);
});

test("whatever the order and however often, everything is there once and as new as can be", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const pick = (most) => Math.floor(random() * most);
    const timeline = new Timeline();
    const latest = new Map();
    const told = new Set();
    for (let step = 0; step < 60; step += 1) {
      const batch = Array.from({ length: 1 + pick(4) }, () => {
        const [seq, revision] = [1 + pick(20), pick(6)];
        return message(seq, { revision, body: `${seq} at ${revision}` });
      });
      if (random() < 0.4) {
        timeline.change(batch[0]);
        batch.length = 1;
      } else {
        for (const { seq } of timeline.add(batch).added) {
          assert.ok(!told.has(seq), `seed ${seed}: ${seq} was told twice`);
          told.add(seq);
        }
      }
      for (const { seq, revision } of batch) {
        latest.set(seq, Math.max(revision, latest.get(seq) ?? 0));
      }
    }
    const order = numbers(timeline);
    assert.deepEqual(order, [...told].sort((one, other) => one - other), `seed ${seed}`);
    for (const seq of order) {
      assert.equal(timeline.get(seq).body, `${seq} at ${latest.get(seq)}`, `seed ${seed}`);
    }
    const gap = order.findIndex((seq, index) => index > 0 && seq !== order[index - 1] + 1);
    const expected = gap === -1 ? null : { after: order[gap - 1], before: order[gap] };
    assert.deepEqual(timeline.hole(), expected, `seed ${seed}`);
  }
});
