// Colours and the size of text as somebody chose them, before the first paint: a plain script at the top of the page.
// The choice is made, and kept, by preferences.js.
"use strict";

{
  const apply = () => {
    let chosen = {};
    try {
      chosen = JSON.parse(localStorage.getItem("chat:preferences")) ?? {};
    } catch {
      // No storage, or not ours: as the system has it.
    }
    const { theme = "system", text = "normal" } = chosen;
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.text = text;
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
      const scheme = meta.dataset.scheme;
      meta.media = theme === "system" ? `(prefers-color-scheme: ${scheme})` : theme === scheme ? "all" : "not all";
    }
  };
  apply();
  addEventListener("storage", apply);
  addEventListener("preferences", apply);
}
