// Django's JavaScript catalog, and the language of the page. Without the catalog the page speaks English.

const catalog = globalThis;

export const language = document.documentElement.lang || "en";

export const gettext = catalog.gettext ?? ((text) => text);

export const ngettext = catalog.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

/** Return `text` with each `%(name)s` replaced by `values.name`. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}
