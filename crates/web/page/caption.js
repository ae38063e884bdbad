// Where this is, in words.

const at = (id) => document.getElementById(id);

function shortened(text) {
  return text.length > 24 ? `${text.slice(0, 13)}…${text.slice(-7)}` : text;
}

/** How long the side of a screen would be on which the whole set is seen as large as here. */
function screenOf(zoom) {
  // At zoom 1 a screen of 30 cm is the set's own size.
  const metres = zoom.log10 + Math.log10(0.3);
  const units = [
    [26.9, "times the visible universe", 26.94],
    [15.97, "light years", 15.976],
    [11.17, "astronomical units", 11.175],
    [3, "km", 3],
    [0, "m", 0],
    [-2, "cm", -2],
  ];
  const [, name, log10] = units.find(([least]) => metres >= least) || units[units.length - 1];
  const value = metres - log10;
  const text = value < 6 ? (10 ** value).toPrecision(3) : `10^${value.toFixed(1)}`;
  return `the whole set would be ${Number(text) ? Number(text).toLocaleString("en") : text} ${name} high`;
}

/** Writes the caption; `tile` is the latest, where there is a new one. */
export function caption(explorer, tile) {
  const { view } = explorer;
  const [re, im, zoom] = view.texts();
  const sign = im.startsWith("-") ? "−" : "+";
  at("centre").textContent = `${shortened(re)} ${sign} ${shortened(im.replace("-", ""))} i`;
  at("centre").title = `${re} ${im}`;
  const { formula, julia } = explorer.extra;
  const words = [formula, julia && `the Julia set of ${shortened(julia[0])} ${julia[1].startsWith("-") ? "−" : "+"} ${shortened(julia[1].replace("-", ""))} i`];
  at("iterated").textContent = words.filter(Boolean).join(", ") || "z² + c";
  at("zoom").textContent = `${zoom}, ${view.digits} digits`;
  at("iterations").textContent = `${explorer.iterations.toLocaleString("en")}${explorer.isAuto ? ", automatic" : ""}`;
  at("screen").textContent = screenOf(view.zoom);
  if (!tile) return;
  const period = tile.period ? `, period ${Number(tile.period).toLocaleString("en")}` : "";
  const part = tile.step.scale > 1 ? `1/${tile.step.scale}` : tile.step.samples > 1 ? `${tile.step.samples} samples a pixel` : "all pixels";
  at("computed").textContent = `${tile.arithmetic}${period}; ${part} in ${tile.seconds.toFixed(3)} s${tile.maker === "farm" ? " by the farm" : ""}`;
}
