// Who is banned from a room, and letting them in again.

import { copyOf } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { prepareSection } from "./section.js";
import { fullText } from "./times.js";

/** Prepare the section `box`; `show()` closes it, so that it is filled anew when it is opened. */
export function prepareBans(box, request) {
  const section = prepareSection(box, async () => {
    const { bans } = await request("bans");
    section.say(bans.length === 0 ? gettext("Nobody is banned.") : "");
    return bans.map((ban) => item(ban, unban));
  });
  const unban = ({ key, name }) => section.remove(
    () => request("unban", { key }),
    fill(gettext("%(name)s may come back."), { name }),
  );
  return { show: section.close };
}

function item(ban, unban) {
  const made = copyOf("ban");
  made.querySelector("[data-name]").textContent = ban.name;
  const until = ban.until
    ? fill(gettext("until %(time)s"), { time: fullText(new Date(ban.until)) })
    : gettext("for good");
  made.querySelector("[data-facts]").textContent = until;
  const button = made.querySelector("button");
  button.ariaLabel = fill(gettext("Let %(name)s in again"), { name: ban.name });
  button.addEventListener("click", () => unban(ban));
  return made;
}
