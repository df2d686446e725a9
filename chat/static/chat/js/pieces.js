// A large picture in pieces: after a lost connection it goes on where it was (docs/uploads.md).

import { urlFor } from "./config.js";
import { send, sendJson } from "./sending.js";

// How long nothing may arrive before we give up, and how long we wait before we try again.
const PATIENCE_MS = 120_000;
const PAUSE_MS = [500, 5_000];
// Nobody is there, or nobody has time: as while the server restarts.
const FOR_THE_MOMENT = new Set([0, 500, 502, 503, 504]);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Ask until there is an answer that is worth something: fine, or where to go on. Rejected with an Error for people. */
async function patiently(ask) {
  const until = performance.now() + PATIENCE_MS;
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    if (answer.ok || (answer.status === 409 && "offset" in answer.answer)) {
      return answer;
    }
    const again = FOR_THE_MOMENT.has(answer.status) || answer.retryAfter !== null;
    if (!again || performance.now() > until) {
      throw answer.error;
    }
    const [least, most] = PAUSE_MS;
    await pause(answer.retryAfter ?? Math.min(most, least * 2 ** tries) * (0.5 + Math.random() / 2));
  }
}

/** Send `file` and then make a message of it, with `body` and under `id`; returns the server's {message, job}. */
export async function sendInPieces(roomSlug, { file, id }, body, onProgress) {
  const all = urlFor("uploads", roomSlug);
  const begun = await patiently(() => sendJson("POST", all, { size: file.size, id }));
  const { upload, chunk } = begun.answer;
  const url = `${all}${upload}/`;
  let { offset } = begun.answer;
  for (;;) {
    while (offset < file.size) {
      const from = offset;
      const { answer } = await patiently(() => send("PATCH", url, {
        body: file.slice(from, from + chunk),
        headers: { "Content-Type": "application/octet-stream", "Upload-Offset": String(from) },
        onProgress: (loaded) => onProgress(Math.min(1, (from + loaded) / file.size)),
      }));
      offset = answer.offset;
    }
    const finished = await patiently(() => sendJson("POST", url, { body, id }));
    if (finished.ok) {
      return finished.answer;
    }
    offset = finished.answer.offset;
  }
}
