// Requests that tell how far they are: XMLHttpRequest and not fetch, which tells no progress.

import { csrfToken } from "./config.js";
import { gettext } from "./i18n.js";

/** What became of a request: `status` (0: the connection was lost), and `answer`, an object. */
class Answer {
  constructor(request) {
    this.status = request.status;
    try {
      this.answer = JSON.parse(request.responseText);
    } catch {
      // A page and not an answer of ours: nginx refused it, or nobody is there.
      this.answer = {};
    }
  }

  get ok() {
    return this.status === 200 || this.status === 201;
  }

  /** Milliseconds after which to ask again, where it is a matter of time. */
  get retryAfter() {
    return this.status === 429 ? (this.answer.error?.retry_after_ms ?? 1000) : null;
  }

  /** An Error whose message is meant for people. */
  get error() {
    if (this.status === 0) {
      return new Error(gettext("The connection was lost. Please try again."));
    }
    if (this.status === 413) {
      return new Error(gettext("The picture is too large."));
    }
    return new Error(this.answer.error?.reason ?? gettext("The picture could not be sent. Please try again."));
  }
}

/** Send a request and return the promise of its Answer; `onProgress` gets the bytes that have left. */
export function send(method, url, { body, headers = {}, onProgress = () => {} }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    for (const [name, value] of Object.entries(headers)) {
      request.setRequestHeader(name, value);
    }
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    request.addEventListener("loadend", () => resolve(new Answer(request)));
    request.send(body);
  });
}

/** Send an object as JSON. */
export function sendJson(method, url, content) {
  return send(method, url, { body: JSON.stringify(content), headers: { "Content-Type": "application/json" } });
}
