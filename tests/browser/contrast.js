/* Returns the texts whose contrast is below 4.5 to 1. Colours are drawn on a canvas, since some are oklch(). */
() => {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const rgb = (colours) => {
    pen.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => colour
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const backgrounds = (item) => {
    return item ? [...backgrounds(item.parentElement), getComputedStyle(item).backgroundColor] : ["white"];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const item = node.parentElement;
    if (!node.textContent.trim() || !item.checkVisibility({ visibilityProperty: true })) continue;
    if (["SCRIPT", "NOSCRIPT"].includes(item.tagName) || item.closest(":disabled, .visually-hidden, [inert]")) continue;
    const behind = backgrounds(item);
    const [one, two] = [luminance(rgb([...behind, getComputedStyle(item).color])), luminance(rgb(behind))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${item.className || item.tagName}: ${node.textContent.trim()}`);
  }
  return faint;
}
