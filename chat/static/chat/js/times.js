// Dates and times in the language of the page and the zone of the browser.

import { gettext, language } from "./i18n.js";

const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });
const dayWithYear = new Intl.DateTimeFormat(language, { dateStyle: "full" });

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

export const timeText = (date) => clock.format(date);

export const fullText = (date) => full.format(date);

/** Return "Today", "Yesterday" or the date. */
export function dayText(date, now = new Date()) {
  // Rounded: a day has 23 or 25 hours where clocks are put forward and back.
  const ago = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (ago === 0) {
    return gettext("Today");
  }
  if (ago === 1) {
    return gettext("Yesterday");
  }
  return date.getFullYear() === now.getFullYear() ? day.format(date) : dayWithYear.format(date);
}

export function sameDay(one, other) {
  return midnight(one).getTime() === midnight(other).getTime();
}
