// Sending one picture: whole, or in pieces where it is large.

import { csrfToken, urlFor } from "./config.js";
import { sendInPieces } from "./pieces.js";
import { send } from "./sending.js";

// From more than this on a picture travels in pieces.
const LARGE = 2 ** 20;

/**
 * Post `file` with a text to a room and return the promise of `{message, job}`; `onProgress` gets 0 to 1.
 *
 * The server stores it once under `id`, however often it is sent. Rejected with an Error whose message is meant for people.
 */
export async function upload(roomSlug, { file, id }, body, onProgress) {
  if (file.size > LARGE) {
    return sendInPieces(roomSlug, { file, id }, body, onProgress);
  }
  const form = new FormData();
  form.append("image", file, file.name);
  form.append("body", body);
  form.append("id", id);
  form.append("csrfmiddlewaretoken", csrfToken());
  const answer = await send("POST", urlFor("images", roomSlug), {
    body: form,
    onProgress: (loaded, total) => onProgress(total ? loaded / total : 0),
  });
  if (!answer.ok) {
    throw answer.error;
  }
  return answer.answer;
}
