// Colours as requests have them, and as addresses and commands say them.

export const MAPPINGS = ["log", "sqrt", "linear", "rank"];
export const COLOURS = ["smooth", "bands", "distance"];

export function plainScheme() {
  return { palette: "plasma", colour: "smooth", mapping: "log", period: 0, cycles: 0, offset: 0, inside: [0, 0, 0], light: null, range: null };
}

export function hexOf(rgb) {
  return "#" + rgb.map((value) => value.toString(16).padStart(2, "0")).join("");
}

export function rgbOf(text) {
  const hex = /^#?([0-9a-f]{6})$/i.exec(text || "");
  return hex ? [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16)) : null;
}

/** The keys of a request that say these colours. */
export function requestOf(scheme) {
  const request = { palette: scheme.palette, colour: scheme.colour, offset: scheme.offset, inside: hexOf(scheme.inside) };
  if (scheme.mapping === "rank") request.equalise = true;
  else request.mapping = scheme.mapping;
  if (scheme.period) request.period = scheme.period;
  else if (scheme.cycles) request.cycles = scheme.cycles;
  if (scheme.range && !scheme.period && scheme.mapping !== "rank") request["colour-range"] = scheme.range;
  if (scheme.light) request.light = scheme.light.join(",");
  return request;
}

/** The colours that a request's keys say, over what they do not. */
export function schemeOf(request, base = plainScheme()) {
  const scheme = { ...base };
  const number = (value) => (Number.isFinite(Number(value)) ? Number(value) : 0);
  if (request.palette) scheme.palette = request.palette;
  if (COLOURS.includes(request.colour)) scheme.colour = request.colour;
  if (MAPPINGS.includes(request.mapping)) scheme.mapping = request.mapping;
  if (request.equalise) scheme.mapping = "rank";
  if (request.palette || request.mapping || request.period || request.cycles) {
    scheme.period = Math.max(0, number(request.period));
    scheme.cycles = Math.max(0, number(request.cycles));
  }
  if (scheme.mapping === "rank") scheme.period = 0;
  if (request.offset !== undefined && request.offset !== null) scheme.offset = Math.min(1, Math.max(0, number(request.offset)));
  scheme.inside = rgbOf(request.inside) || scheme.inside;
  if (request.light !== undefined) {
    const light = String(request.light || "").split(",").map(Number);
    scheme.light = request.light && light.every(Number.isFinite) ? [light[0], light.length > 1 ? light[1] : 1.5] : null;
  }
  const range = request["colour-range"];
  if (range !== undefined) scheme.range = Array.isArray(range) && range.every((end) => Number.isFinite(Number(end))) ? range.map(Number) : null;
  return scheme;
}

/** The words of a command line that say these colours, where they are not the usual ones. */
export function wordsOf(scheme) {
  const request = requestOf(scheme);
  const words = [];
  const usual = { palette: "plasma", colour: "smooth", offset: 0, inside: "#000000", mapping: "log" };
  for (const [key, value] of Object.entries(request)) {
    if (value === usual[key] && !(key === "mapping" && scheme.period)) continue;
    if (value === true) words.push("--" + key);
    else if (Array.isArray(value)) words.push("--" + key, ...value.map(String));
    else words.push("--" + key, /^[\w.,+-]+$/.test(String(value)) ? String(value) : `'${String(value).replace(/'/g, "'\\''")}'`);
  }
  return words;
}
