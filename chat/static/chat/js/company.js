// The people of the open room: who they are, what we may do with them and with the room, and how often we may speak.

import { byId } from "./dom.js";
import { menuFor, Standing } from "./moderation.js";
import { People } from "./people.js";
import { SlowMode } from "./slow.js";

/**
 * Show the company of `room`, a Room of the library, to `me`. `info`: what the list of rooms knows of it, or nothing.
 */
export function prepareCompany(room, streams, { me, info }) {
  const standing = new Standing();
  const slow = new SlowMode(() => standing.may("moderate"));
  const people = new People(me, {
    showsAway: Boolean(info?.private),
    menuOf: menuFor({
      me,
      standing,
      request: (type, fields) => room.request(type, fields),
      ask: (type, fields) => streams.request("chat", { type, ...fields }),
      roleOf: (key) => people.roleOf(key),
      direct: Boolean(info?.direct),
    }),
  });
  const fetchMembers = async () => {
    try {
      people.setMembers((await room.request("members")).members);
    } catch (error) {
      // Who is here is known without. The next join asks again.
      console.info("no news of the members:", error.code);
    }
  };
  const stand = (detail) => {
    standing.update(detail);
    for (const [id, permission] of [["settings-open", "manage"], ["add-member", "manage"], ["danger", "own"]]) {
      byId(id)?.toggleAttribute("hidden", !standing.may(permission));
    }
  };

  room.addEventListener("joined", ({ detail }) => {
    stand(detail);
    slow.set(detail.slow_seconds ?? 0);
    people.set(detail.members, detail);
    fetchMembers();
  });
  room.addEventListener("left", () => {
    stand({});
    slow.set(0);
    people.setMembers([]);
    people.set([]);
  });
  room.addEventListener("pending", ({ detail: { state, error } }) => {
    if (state === "stored") {
      slow.spoke();
    } else if (error?.code === "too_fast" && error.retry_after_ms) {
      slow.wait(error.retry_after_ms);
    }
  });
  streams.on("presence", (payload) => payload.room === room.name && people.receive(payload));
  streams.on("rooms", (payload) => {
    if (payload.type === "update" && payload.data.slug === room.name) {
      slow.set(payload.data.slow_seconds);
    } else if (payload.type === "member" && payload.room === room.name) {
      if (payload.key === me.key && room.joined) {
        // Joining again says what we may do now.
        room.enter();
      } else if (!people.setRole(payload.key, payload.role)) {
        fetchMembers();
      }
    }
  });
}
