// Sending one picture.

import { csrfToken, urlFor } from "./config.js";
import { gettext } from "./i18n.js";

function answerOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    // A page and not an answer of ours: nginx refused it, or nobody is there.
    return {};
  }
}

function reasonOf(request) {
  if (request.status === 413) {
    return gettext("The picture is too large.");
  }
  return answerOf(request).error?.reason ?? gettext("The picture could not be sent. Please try again.");
}

/**
 * Post `file` with a text to a room and return the promise of `{message, job}`; `onProgress` gets 0 to 1.
 *
 * The server stores it once under `id`, however often it is sent. Rejected with an Error whose message is meant for people. XMLHttpRequest and not fetch, which tells no progress.
 */
export function upload(roomSlug, { file, id }, body, onProgress) {
  const form = new FormData();
  form.append("image", file, file.name);
  form.append("body", body);
  form.append("id", id);
  form.append("csrfmiddlewaretoken", csrfToken());
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", urlFor("images", roomSlug));
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total ? loaded / total : 0));
    request.addEventListener("load", () => {
      if (request.status === 200 || request.status === 201) {
        resolve(answerOf(request));
      } else {
        reject(new Error(reasonOf(request)));
      }
    });
    request.addEventListener("error", () => reject(new Error(gettext("The connection was lost. Please try again."))));
    request.send(form);
  });
}
