// A button that opens a menu: arrow keys move in it, Escape and a click elsewhere close it.

import { element } from "./dom.js";

const GAP = 4;
let number = 0;

/**
 * Let `button` open a menu of what `itemsOf()` returns: [{label, action, danger}], asked each time it opens.
 *
 * The menu is in the top layer, so that nothing cuts it off.
 */
export function menuButton(button, itemsOf) {
  let menu = null;
  // A press on the button closes the menu before the click arrives, which must not open it again.
  let wasOpen = false;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");

  const open = (place = 0) => {
    menu = build(button, itemsOf(), () => {
      menu = null;
    });
    button.setAttribute("aria-expanded", "true");
    const items = menu.querySelectorAll("[role=menuitem]");
    items[place < 0 ? items.length - 1 : 0]?.focus();
  };
  button.addEventListener("pointerdown", () => {
    wasOpen = menu !== null;
  });
  button.addEventListener("click", () => {
    if (!wasOpen && menu === null) {
      open();
    }
    wasOpen = false;
  });
  button.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      open(event.key === "ArrowUp" ? -1 : 0);
    }
  });
}

function build(button, items, onClosed) {
  const menu = element("div", { className: "menu", popover: "auto", id: `menu-${(number += 1)}` });
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", button.getAttribute("aria-label") ?? button.textContent);
  for (const { label, action, danger } of items) {
    const item = element("button", { type: "button", textContent: label, tabIndex: -1 });
    item.setAttribute("role", "menuitem");
    item.classList.toggle("menu-danger", Boolean(danger));
    item.addEventListener("click", () => {
      close(menu, button);
      action();
    });
    menu.append(item);
  }
  menu.addEventListener("keydown", (event) => move(event, menu, button));
  menu.addEventListener("toggle", ({ newState }) => {
    if (newState === "closed") {
      button.setAttribute("aria-expanded", "false");
      menu.remove();
      onClosed();
    }
  });
  // Inside of a dialog everything outside of it is out of reach. And who goes from landmark to landmark finds it in one.
  (button.closest("dialog, aside, main") ?? document.body).append(menu);
  menu.showPopover();
  put(menu, button);
  return menu;
}

function move(event, menu, button) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const here = items.indexOf(document.activeElement);
  const places = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 };
  if (event.key in places) {
    event.preventDefault();
    items.at(places[event.key] % items.length).focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    // Not for the drawer or dialog behind it.
    event.preventDefault();
    event.stopPropagation();
    close(menu, button);
  }
}

function close(menu, button) {
  menu.hidePopover();
  button.focus();
}

/** Put the menu below the button, or above where there is no room, within the window. */
function put(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP + height <= innerHeight;
  menu.style.top = `${Math.max(GAP, below ? at.bottom + GAP : at.top - GAP - height)}px`;
  menu.style.left = `${Math.max(GAP, Math.min(at.right - width, innerWidth - width - GAP))}px`;
}
