// Renews the page in place every two seconds, while somebody looks at it.

const EVERY_MS = 2000;

async function renew() {
  if (!document.hidden) {
    const note = document.getElementById("renewed");
    try {
      const response = await fetch(location.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("status");
      if (!response.ok || !fresh) {
        throw new Error(`status ${response.status}`);
      }
      // Only the sections: the focus of whoever scrolls a table by keyboard stays where that table stays.
      const focused = [...document.querySelectorAll(".frame")].indexOf(document.activeElement);
      document.getElementById("status").replaceChildren(...fresh.childNodes);
      document.querySelectorAll(".frame")[focused]?.focus();
      note.hidden = true;
    } catch (error) {
      note.textContent = `Not renewed: the server does not answer (${error.message}).`;
      note.hidden = false;
    }
  }
  setTimeout(renew, EVERY_MS);
}

setTimeout(renew, EVERY_MS);
