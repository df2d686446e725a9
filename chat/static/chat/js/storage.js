// What a browser keeps for us, where it may: storage can be forbidden, full, or hold what others wrote.

/** Return the value stored under `key`, or undefined. */
export function load(storage, key) {
  try {
    return JSON.parse(globalThis[storage].getItem(key)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Store `value` under `key`; without storage the page works on, and forgets it. */
export function save(storage, key, value) {
  try {
    globalThis[storage].setItem(key, JSON.stringify(value));
  } catch (error) {
    console.info(`${key} is not kept:`, error.message);
  }
}

export function forget(storage, key) {
  try {
    globalThis[storage].removeItem(key);
  } catch (error) {
    console.info(`${key} is not forgotten:`, error.message);
  }
}

/** Return the keys that begin with `prefix`. */
export function keysOf(storage, prefix) {
  try {
    return Object.keys(globalThis[storage]).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}
