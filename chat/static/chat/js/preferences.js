// What one chose for oneself on this device, and the dialog to choose it in. Nothing of it leaves the browser.

import { identity } from "./config.js";
import { byId } from "./dom.js";
import { load, save } from "./storage.js";

// theme.js reads it too, before the first paint.
const KEY = "chat:preferences";
// Without keys to hold, Enter is the only way to a new line.
const touch = matchMedia("(hover: none) and (pointer: coarse)");

const DEFAULTS = { theme: "system", text: "normal", enter: null, notify: false, sound: false };

/** Return the choice called `name`: theme, text, enter (it sends), notify, sound. */
export function preference(name) {
  const value = load("localStorage", KEY)?.[name] ?? DEFAULTS[name];
  return name === "enter" && value === null ? !touch.matches : value;
}

/** Make a choice; the window hears a `preferences` event, in other tabs `storage`. */
export function choose(name, value) {
  save("localStorage", KEY, { ...load("localStorage", KEY), [name]: value });
  dispatchEvent(new Event("preferences"));
}

const roomKey = () => `chat:notify:${identity.key}`;

/** Return what one wants to hear of in a room: all, mentions (and what is said to oneself alone) or none. */
export function roomChoice(slug) {
  return load("localStorage", roomKey())?.[slug] ?? "mentions";
}

export function chooseForRoom(slug, value) {
  save("localStorage", roomKey(), { ...load("localStorage", roomKey()), [slug]: value });
}

/** Prepare the dialog; `allowed()` is asked when somebody switches notifications on: a promise of whether they may be. */
export function preparePreferences(slug, allowed) {
  const dialog = byId("preferences");
  const form = byId("preferences-form");
  byId("preferences-open").hidden = false;
  byId("preferences-open").addEventListener("click", () => {
    show(form, slug);
    dialog.showModal();
  });
  byId("preferences-close").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  form.addEventListener("change", ({ target }) => take(target, slug, allowed));
}

function show(form, slug) {
  for (const field of form.elements) {
    if (field.name === "room") {
      field.value = roomChoice(slug);
    } else if (field.type === "checkbox") {
      field.checked = preference(field.name);
    } else if (field.type === "radio") {
      field.checked = field.value === preference(field.name);
    }
  }
}

async function take(field, slug, allowed) {
  if (field.name === "room") {
    chooseForRoom(slug, field.value);
  } else if (field.name === "notify") {
    const on = field.checked && (await allowed());
    byId("notify-refused").hidden = on || !field.checked;
    field.checked = on;
    choose("notify", on);
  } else {
    choose(field.name, field.type === "checkbox" ? field.checked : field.value);
  }
}
