// The address holds everything: the place, iterations and colours, behind the `#`, which no browser sends to a server.

import { requestOf, schemeOf } from "./scheme.js";
import { View } from "./view.js";

/** What an address says of a view; `null` where it says none. */
export function read(hash, width, height) {
  const said = Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
  if (!said.re || !said.im || !said.zoom) return null;
  const view = View.at(said.re, said.im, said.zoom, width, height);
  if (!view) return null;
  if (said["colour-range"]) said["colour-range"] = said["colour-range"].split(",");
  if (!("light" in said)) said.light = "";
  const extra = {};
  for (const key of ["escape-radius", "rotate", "stretch", "stretch-angle"]) {
    if (said[key] && Number.isFinite(Number(said[key]))) extra[key] = Number(said[key]);
  }
  // Shown as part of a command that people copy: words and numbers alone.
  if (/^[\w{}./ +-]{1,1000}$/.test(said.formula || "")) extra.formula = said.formula;
  const c = (said.julia || "").split(",");
  if (c.length === 2 && c.every((part) => /^[-+.\de]+$/i.test(part))) extra.julia = c;
  const iterations = Math.round(Number(said.iterations));
  return {
    view,
    iterations: iterations > 0 ? iterations : undefined,
    isAuto: said.auto === "1" || !(iterations > 0),
    scheme: schemeOf(said),
    extra,
  };
}

/** The address of what is seen. */
export function write(explorer) {
  const [re, im, zoom] = explorer.view.texts();
  const said = { re, im, zoom, iterations: explorer.iterations };
  if (explorer.isAuto) said.auto = 1;
  for (const [key, value] of Object.entries({ ...explorer.extra, ...requestOf(explorer.scheme) })) {
    said[key] = value === true ? "1" : String(value);
  }
  // Numbers and plain words as they are: addresses are read by people, too.
  const text = (value) => encodeURIComponent(value).replace(/%2C/g, ",").replace(/%23/g, "%23");
  return "#" + Object.entries(said).map(([key, value]) => `${key}=${text(value)}`).join("&");
}
