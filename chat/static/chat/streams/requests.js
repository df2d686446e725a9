// Requests and their answers.

import { newId } from "./ids.js";

// How long each attempt waits for its answer: a server that is behind is not to be asked ever more.
const ANSWER_MS = [8_000, 16_000, 16_000];

export class Requests {
  #send;
  #open = new Map();

  /** `send(stream, payload)` returns false when there is no connection. */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Send a payload under an id and return the promise of its answer.
   *
   * It is sent again when no answer comes, so the server must know a repetition by its id, or not mind one. Rejected
   * with the error payload, or with {code: "disconnected"} or {code: "timeout"}.
   */
  make(stream, payload) {
    const id = payload.id ?? newId();
    return new Promise((resolve, reject) => {
      let sent = 0;
      const attempt = () => {
        if (sent === ANSWER_MS.length) {
          this.#finish(id)?.reject({ code: "timeout" });
        } else if (this.#send(stream, { ...payload, id })) {
          request.timer = setTimeout(attempt, ANSWER_MS[sent]);
          sent += 1;
        } else {
          this.#finish(id)?.reject({ code: "disconnected" });
        }
      };
      this.#finish(id)?.reject({ code: "replaced" });
      const request = { stream, resolve, reject, timer: 0 };
      this.#open.set(id, request);
      attempt();
    });
  }

  /** Take in a payload; return whether it was the error that answers a request, of which nobody else need hear. */
  receive(stream, payload) {
    // A message bears the id that it was sent under, and is no answer to it: everybody gets it.
    if (payload.id === undefined || payload.type === "message" || this.#open.get(payload.id)?.stream !== stream) {
      return false;
    }
    const request = this.#finish(payload.id);
    if (payload.type === "error") {
      request.reject(payload);
      return true;
    }
    request.resolve(payload);
    return false;
  }

  /** Nothing that is under way will be answered. */
  lost() {
    for (const id of [...this.#open.keys()]) {
      this.#finish(id).reject({ code: "disconnected" });
    }
  }

  #finish(id) {
    const request = this.#open.get(id);
    this.#open.delete(id);
    clearTimeout(request?.timer);
    return request;
  }
}
