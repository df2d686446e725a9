// Who is banned from a room, and letting them in again.

import { copyOf } from "./dom.js";
import { fill, gettext } from "./i18n.js";
import { fullText } from "./times.js";
import { inWords } from "./words.js";

/** Prepare the section `box`; `show()` closes it, so that it is filled anew when it is opened. */
export function prepareBans(box, request) {
  const list = box.querySelector("ul");
  const note = box.querySelector("[role=status]");
  const attempt = async (action) => {
    note.textContent = "";
    try {
      await action();
    } catch (error) {
      note.textContent = inWords(error);
    }
  };
  const fillList = async () => {
    const { bans } = await request("bans");
    list.replaceChildren(...bans.map((ban) => item(ban, unban)));
    if (bans.length === 0) {
      note.textContent = gettext("Nobody is banned.");
    }
  };
  const unban = ({ key, name }) => attempt(async () => {
    await request("unban", { key });
    await fillList();
    note.textContent = fill(gettext("%(name)s may come back."), { name });
    box.querySelector("summary").focus();
  });
  box.addEventListener("toggle", () => box.open && attempt(fillList));
  return {
    show() {
      box.open = false;
    },
  };
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
