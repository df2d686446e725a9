// What the server wrote into the page.

const config = JSON.parse(document.getElementById("config").textContent);

export const { identity, limits, rooms, room: slug, socket } = config;

/** Return the URL called `name` (images, room, read) for a room. */
export function urlFor(name, roomSlug) {
  return config.urls[name].replace("{slug}", encodeURIComponent(roomSlug));
}

/** Return the CSRF token that Django wrote into the page's forms. */
export function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}
