// The library under test, and somebody who watches a room by its events alone.

import { Streams } from "../../chat/static/chat/streams.js";

export { Streams };

/** Show a room as a page would, from its events: `shown` is what a person reads, `pending` what waits. */
export function watch(room) {
  const view = { bySeq: new Map(), pending: new Map(), events: [], resets: 0 };
  room.addEventListener("messages", ({ detail }) => {
    view.events.push(["messages", detail.how, detail.messages.map(({ body }) => body)]);
    for (const message of detail.messages) {
      if (view.bySeq.has(message.seq)) {
        throw new Error(`message ${message.seq} was told twice`);
      }
      view.bySeq.set(message.seq, message.body);
    }
  });
  room.addEventListener("changed", ({ detail: { message } }) => {
    if (!view.bySeq.has(message.seq)) {
      throw new Error(`message ${message.seq} changed before it was told`);
    }
    view.bySeq.set(message.seq, message.body);
  });
  room.addEventListener("reset", () => {
    view.resets += 1;
    view.bySeq.clear();
  });
  room.addEventListener("pending", ({ detail }) => {
    view.events.push(["pending", detail.state, detail.body]);
    if (["stored", "discarded"].includes(detail.state)) {
      view.pending.delete(detail.id);
    } else {
      view.pending.set(detail.id, detail);
    }
  });
  for (const type of ["joined", "left", "error", "typing"]) {
    room.addEventListener(type, ({ detail }) => view.events.push([type, detail]));
  }
  view.shown = () => [...view.bySeq].sort(([one], [other]) => one - other).map(([, body]) => body);
  return view;
}

/** Open a tab of `browser` that joins a room; return {tab, streams, room, view}. */
export function openTab(browser, name, options = {}) {
  const [tab, made] = browser.open(() => {
    const streams = new Streams("/ws/", { identity: browser.key, ...options });
    const room = streams.join(name);
    const view = watch(room);
    streams.open();
    return { streams, room, view };
  });
  return { tab, ...made };
}
