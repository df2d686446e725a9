// Slow mode: a line at the message box says how often one may speak here, and counts down until one may again.

import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";

const TICK_MS = 250;

export class SlowMode {
  #line = byId("slow");
  #seconds = 0;
  #exempt = false;
  #until = 0;
  #timer = 0;

  /** `exempt()` says whether we may speak as often as we like. */
  constructor(exempt) {
    this.#exempt = exempt;
  }

  /** Take in how many seconds must lie between two messages; 0: slow mode is off. */
  set(seconds) {
    this.#seconds = seconds;
    if (seconds === 0) {
      this.#until = 0;
    }
    this.#show();
  }

  /** A message of ours was stored: the next one may follow in a while. */
  spoke() {
    this.wait(this.#seconds * 1000);
  }

  /** We may speak again in so many milliseconds. */
  wait(milliseconds) {
    if (this.#seconds && !this.#exempt()) {
      this.#until = Date.now() + milliseconds;
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#show(), TICK_MS);
      this.#show();
    }
  }

  #show() {
    const left = Math.ceil((this.#until - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(this.#timer);
    }
    this.#line.hidden = this.#seconds === 0 || this.#exempt();
    const usual = fill(gettext("Slow mode: one message every %(time)s"), { time: inTime(this.#seconds) });
    this.#line.querySelector("[data-shown]").textContent = left > 0
      ? fill(gettext("Slow mode: the next message in %(time)s"), { time: inTime(left) })
      : usual;
    // The countdown is not read out: one announcement a second is no help.
    const spoken = this.#line.querySelector("[data-spoken]");
    if (spoken.textContent !== usual) {
      spoken.textContent = usual;
    }
  }
}

/** Return a time as people say it: 45 s, 2 min, 1 h. */
export function inTime(seconds) {
  if (seconds >= 3600 && seconds % 3600 === 0) {
    return fill(gettext("%(count)s h"), { count: seconds / 3600 });
  }
  if (seconds >= 60 && seconds % 60 === 0) {
    return fill(gettext("%(count)s min"), { count: seconds / 60 });
  }
  return fill(gettext("%(count)s s"), { count: seconds });
}
