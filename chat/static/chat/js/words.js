// Errors in the words of people: the server's own, in their language, or ours where it gave none.

import { gettext } from "./i18n.js";

const WORDS = {
  disconnected: gettext("The connection was lost."),
  expired: gettext("It was written too long ago."),
  internal: gettext("The server failed. It has been noted; please try again."),
  offline: gettext("There is no connection to the server."),
  timeout: gettext("The server does not answer."),
};

/** Return a sentence for an `{code, reason}` of the streams protocol. */
export function inWords({ code, reason }) {
  return WORDS[code] ?? reason ?? gettext("The server did not understand this.");
}
