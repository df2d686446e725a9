// The line that says whether we are connected.

import { byId } from "./dom.js";
import { fill, gettext } from "./i18n.js";

// Handshakes refused in a row before we say that reloading may help: browsers do not tell why one was refused.
const MANY_FAILURES = 4;

const CLOSED = {
  1000: gettext("The server closed the connection"),
  4001: gettext("An administrator disconnected you"),
  4003: gettext("Signed out, or no longer allowed here"),
};

function shown(state) {
  if (state.name === "connected") {
    return gettext("Connected");
  }
  if (state.name === "connecting") {
    return gettext("Connecting…");
  }
  if (state.name === "closed") {
    return state.advised ? gettext("The server has closed and asks to stay away") : CLOSED[state.code];
  }
  const seconds = Math.max(1, Math.ceil((state.until - Date.now()) / 1000));
  return fill(countdown(state), { seconds });
}

function countdown(state) {
  if (!navigator.onLine) {
    return gettext("Offline, trying again in %(seconds)s s");
  }
  return state.advised ? gettext("The server restarts, back in %(seconds)s s") : gettext("Reconnecting in %(seconds)s s");
}

/** Whether the server has sent us away: it wants to see the cookies again. */
function mustReload(state) {
  return state.name === "closed" && state.code !== 1000 && !state.advised;
}

function spoken(state) {
  if (state.name !== "waiting") {
    return shown(state);
  }
  // The countdown is not read out: one announcement a second is no help.
  if (!navigator.onLine) {
    return gettext("Offline");
  }
  return state.advised ? gettext("The server restarts. This page comes back by itself.") : gettext("Disconnected, reconnecting");
}

/**
 * Show the state of `connection` in the line at the foot of the page.
 *
 * `onTrouble(text)` hears of lasting trouble, and gets null when it is over.
 */
export function showState(connection, onTrouble) {
  const line = byId("state");
  const retry = byId("retry");
  let ticking = 0;

  const show = () => {
    const { state } = connection;
    line.dataset.state = state.name;
    line.querySelector("[data-shown]").textContent = shown(state);
    const words = line.querySelector("[data-spoken]");
    if (words.textContent !== spoken(state)) {
      words.textContent = spoken(state);
    }
    retry.hidden = state.name !== "waiting" && state.name !== "closed";
    retry.textContent = mustReload(state) ? gettext("Reload") : gettext("Try now");
  };

  connection.addEventListener("state", ({ detail }) => {
    clearInterval(ticking);
    if (detail.name === "waiting") {
      ticking = setInterval(show, 250);
    }
    show();
    if (detail.name === "connected") {
      onTrouble(null);
    }
    if (detail.name === "waiting" && detail.failures === MANY_FAILURES) {
      onTrouble(gettext("The server cannot be reached, or has signed you out. Reloading the page may help."));
    }
  });
  retry.addEventListener("click", () => (mustReload(connection.state) ? location.reload() : connection.retry()));
  show();
}
