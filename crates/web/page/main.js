// The explorer: puts its parts together.

import * as address from "./address.js";
import { plainPainter } from "./canvas.js";
import { caption } from "./caption.js";
import { Explorer } from "./explorer.js";
import { formulas } from "./formulas.js";
import { cardPainter } from "./gl.js";
import { listen } from "./input.js";
import { juliaPainter } from "./julia.js";
import { Minimap } from "./minimap.js";
import { panels } from "./panels.js";
import { plainScheme, schemeOf } from "./scheme.js";
import { fetchMinibrot, fetchStatus, readFile } from "./server.js";
import { View } from "./view.js";

const KINDS = ["kfr", "toml", "png", "exr", "jpg", "webp", "tiff", "ugr", "map", "ggr", "css"];
const SETTLED_MS = 400;
const MESSAGE_MS = 6000;

const at = (id) => document.getElementById(id);
const canvas = at("picture");
let pointer = null;
let saying = 0;

function say(text, isKept) {
  at("message").textContent = text;
  clearTimeout(saying);
  if (!isKept) saying = setTimeout(() => say("", true), MESSAGE_MS);
}

function size() {
  const ratio = window.devicePixelRatio || 1;
  const whole = (length) => Math.max(64, Math.ceil((length * ratio) / 8) * 8);
  const [width, height] = [whole(innerWidth), whole(innerHeight)];
  canvas.style.width = `${width / ratio}px`;
  canvas.style.height = `${height / ratio}px`;
  return [width, height];
}

function makePainter(target) {
  try {
    // Without a graphics card shaders are slower than plain code, and are taken where the address asks for them.
    const card = cardPainter(target, /[#&]painter=shaders/.test(location.hash));
    if (card) return card;
  } catch (error) {
    say(`No WebGL: ${error.message}`);
  }
  return plainPainter(target);
}

const minimap = new Minimap(at("minimap"));
const explorer = new Explorer(canvas, makePainter, {
  state(state) {
    document.body.dataset.state = state;
    if (state === "rest") remember();
  },
  tile(tile) {
    caption(explorer, tile);
    minimap.load(explorer, iterated.home(explorer.extra, 120, 96)).catch(() => {});
    if (at("message").dataset.problem) {
      delete at("message").dataset.problem;
      say("", true);
    }
  },
  problem(text) {
    at("message").dataset.problem = "1";
    say(text, true);
  },
  painted(tile) {
    // Whoever measures how soon pixels are there hears it of these, of which one is kept.
    performance.clearMarks();
    if (tile) performance.mark("painted", { detail: { generation: tile.generation, scale: tile.step.scale, samples: tile.step.samples } });
    document.body.dataset.painter = explorer.painter.name;
    document.body.dataset.palette = explorer.kept.palette;
    minimap.mark(explorer);
  },
});

let settling = 0;
/** Puts the view into the address, once it stays: a step of the history where it is another place. */
function remember() {
  clearTimeout(settling);
  const before = location.hash;
  settling = setTimeout(() => {
    // Another address came meanwhile: that one is on its way to be opened.
    if (location.hash !== before) return;
    const hash = address.write(explorer);
    if (hash === before) return;
    const placed = (text) => text.split("&").slice(0, 3).join("&");
    const isOther = location.hash && placed(hash) !== placed(location.hash);
    history[isOther ? "pushState" : "replaceState"](null, "", hash);
    document.body.dataset.address = hash;
  }, SETTLED_MS);
}

function go(view, told) {
  explorer.show(view, told);
  caption(explorer, null);
}

/** Opens what an address says, or the whole set. */
async function open(hash) {
  const said = address.read(hash, ...size());
  explorer.become(said ? said.extra : {});
  await explorer.colour(said ? said.scheme : explorer.scheme || plainScheme());
  tools.refresh();
  if (said) go(said.view, { iterations: said.iterations, isAuto: said.isAuto });
  else home();
}

/** All of what is iterated. */
function home() {
  const { formula, julia } = explorer.extra;
  explorer.become(JSON.parse(JSON.stringify({ formula, julia })));
  explorer.needed = 0;
  go(iterated.home(explorer.extra, ...size()), { isAuto: true });
}

async function findMinibrot() {
  if (explorer.extra.formula || explorer.extra.julia) {
    say("Minibrots are found of z² + c alone");
    return;
  }
  say("Looking for a minibrot …", true);
  try {
    const found = await fetchMinibrot(...explorer.view.texts());
    const { re, im, zoom, iterations } = found.request;
    const view = View.at(re, im, zoom, explorer.view.width, explorer.view.height);
    explorer.needed = 0;
    go(view, { iterations });
    say(`A ${found.shape} of period ${found.period}, of size ${found.size}`);
  } catch (error) {
    say(`No minibrot: ${error.message}`);
  }
}

/** Takes what a request says: place, iterations, colours. */
async function take(request, warnings) {
  const extra = {};
  for (const key of ["escape-radius", "rotate", "stretch", "stretch-angle", "skip-error-log2"]) {
    if (request[key] !== null && request[key] !== undefined) extra[key] = Number(request[key]);
  }
  for (const key of ["formula", "julia"]) {
    if (request[key]) extra[key] = request[key];
  }
  if (request.re) explorer.become(extra);
  if (request.palette) {
    const scheme = schemeOf({ ...request, light: request.light || "" }, plainScheme());
    await explorer.colour(scheme);
    tools.refresh();
  }
  const view = request.re ? View.at(request.re, request.im, request.zoom, ...size()) : null;
  if (view) go(view, { iterations: request.iterations ? Number(request.iterations) : undefined, isAuto: true });
  say([view ? "" : "The file says no place that can be shown", ...warnings].filter(Boolean).join("; "));
}

async function openFile(file) {
  const kind = (/\.(\w+)$/.exec(file.name.toLowerCase()) || [])[1];
  if (!KINDS.includes(kind)) {
    say(`${file.name}: no place, picture or gradient`);
    return;
  }
  try {
    const held = await readFile(kind, file);
    if (held.place) {
      await take(held.place.request, held.place.warnings);
    } else {
      tools.addPalettes(held.palettes);
      await explorer.colour({ ...explorer.scheme, palette: held.palettes[0].palette });
      tools.refresh();
      remember();
      say(held.palettes.length > 1 ? `${held.palettes.length} gradients, in the list of palettes` : "");
    }
  } catch (error) {
    say(`${file.name}: ${error.message}`);
  }
}

const iterated = formulas(explorer, { become, say });
const julia = juliaPainter(at("julia"), explorer, (c) => become({ ...explorer.extra, julia: c }));

/** Iterates something else, and shows all of it. */
function become(extra) {
  explorer.become(extra);
  home();
  tools.refresh();
  remember();
}

const tools = panels({ explorer, say, go, home, findMinibrot, openFile, remember, address, iterated });

listen(canvas, (told) => {
  if (told.pointer) {
    pointer = told.pointer;
    julia.at(pointer);
  } else if (told.moved) {
    go(explorer.view.moved(-told.moved[0], -told.moved[1]));
  } else if (told.zoomed) {
    go(explorer.view.zoomed(told.zoomed, ...(told.at || [])));
  } else if (told.key === "Home") {
    home();
  } else if (told.key === "Backspace") {
    history.back();
  } else if (told.key === "m" || told.key === "M") {
    findMinibrot();
  } else if (told.key === "j") {
    julia.toggle(pointer);
  } else if (told.key === "J") {
    julia.enter(pointer);
  } else {
    tools.key(told.key);
  }
  remember();
});
at("minimap").addEventListener("click", (event) => {
  const view = minimap.viewOf(event);
  if (view) go(view.sized(explorer.view.width, explorer.view.height), { isAuto: true });
});
addEventListener("resize", () => explorer.view && go(explorer.view.sized(...size()), { iterations: explorer.iterations }));
addEventListener("popstate", () => open(location.hash));
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.dataset.dropping = "";
  });
}
addEventListener("dragleave", () => delete document.body.dataset.dropping);
addEventListener("drop", (event) => {
  event.preventDefault();
  delete document.body.dataset.dropping;
  const [file] = event.dataTransfer.files;
  if (file) openFile(file);
});

fetchStatus()
  .then(({ farm, jobs, role }) => {
    at("to-farm").hidden = !farm && !jobs;
    at("to-leave").hidden = !jobs || role !== "operator";
  })
  .catch(() => {});
Promise.all([tools.load(), iterated.load()])
  .catch((error) => say(error.message))
  .then(() => open(location.hash));
