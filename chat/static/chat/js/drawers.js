// The panels that slide in where the window is narrow: rooms, people.

import { byId } from "./dom.js";

const main = byId("main");
const veil = byId("veil");
let opened = null;

function open(button) {
  close();
  opened = { button, panel: byId(button.dataset.open) };
  opened.panel.dataset.opened = "";
  button.setAttribute("aria-expanded", "true");
  veil.hidden = false;
  // What is behind the veil is out of reach for the keyboard too.
  main.inert = true;
  opened.panel.querySelector("[data-close]").focus();
}

function close() {
  if (opened === null) {
    return;
  }
  const { button, panel } = opened;
  opened = null;
  delete panel.dataset.opened;
  button.setAttribute("aria-expanded", "false");
  veil.hidden = true;
  main.inert = false;
  button.focus();
}

export function prepareDrawers() {
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => open(button));
  }
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", close);
  }
  veil.addEventListener("click", close);
  addEventListener("keydown", ({ key }) => key === "Escape" && close());
  // A wider window shows the panels beside the room.
  for (const width of ["48rem", "64rem"]) {
    matchMedia(`(min-width: ${width})`).addEventListener("change", close);
  }
}
