// Buttons and panels: colours, places, save, help.

import { hexOf, rgbOf, wordsOf } from "./scheme.js";
import { leaving } from "./leave.js";
import { editor } from "./palette.js";
import { fetchFile, fetchPalettes } from "./server.js";
import { View } from "./view.js";

const at = (id) => document.getElementById(id);
const KEPT = "mandelfarm-places";
const MOST_KEPT = 60;
const PANELS = ["colours", "places", "save"];

function kept() {
  try {
    const list = JSON.parse(localStorage.getItem(KEPT) || "[]");
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** A value as it is typed. */
function typed(value) {
  if (Array.isArray(value)) return value.join(" ");
  return /[ {]/.test(value) ? `"${value}"` : value;
}

export function panels({ explorer, say, go, home, findMinibrot, openFile, remember, address, iterated }) {
  function toggle(name) {
    for (const other of PANELS) {
      const isOpen = other === name && at(other).hidden;
      at(other).hidden = !isOpen;
      document.querySelector(`[data-do="${other}"]`).setAttribute("aria-expanded", String(isOpen));
    }
    if (name && !at(name).hidden) {
      refresh();
      at(name).querySelector("select, input, button").focus();
    }
  }

  /** The command that makes what is seen. */
  function command() {
    const [re, im, zoom] = explorer.view.texts();
    const { width, height } = explorer.view;
    const words = ["submitter render", `--re ${re}`, `--im ${im}`, `--zoom ${zoom}`, `--size ${width}x${height}`, `--iterations ${explorer.iterations}`];
    for (const [key, value] of Object.entries(explorer.extra)) words.push(`--${key} ${typed(value)}`);
    const samples = 4 * width * height <= 1 << 23 ? ["--samples 4"] : [];
    return [...words, ...wordsOf(explorer.scheme), ...samples, "-o mandelbrot.png"].join(" ");
  }

  function refresh() {
    const { scheme, view } = explorer;
    if (!scheme) return;
    const names = [...at("palette").options].map((option) => option.value);
    at("palette").value = names.includes(scheme.palette) ? scheme.palette : "";
    at("stops").value = names.includes(scheme.palette) ? "" : scheme.palette;
    own.refresh();
    at("colour").value = scheme.colour;
    at("mapping").value = scheme.mapping;
    at("turns").value = scheme.period ? "period" : scheme.cycles ? "cycles" : "once";
    at("repeat").value = scheme.period || scheme.cycles || 1;
    at("repeat").disabled = !scheme.period && !scheme.cycles;
    at("offset").value = scheme.offset;
    at("inside").value = hexOf(scheme.inside);
    at("lit").checked = Boolean(scheme.light);
    const [angle, height] = scheme.light || [at("angle").value, at("height").value];
    at("angle").value = angle;
    at("height").value = height;
    if (!view) return;
    const [re, im, zoom] = view.texts();
    at("go-re").value = re;
    at("go-im").value = im;
    at("go-zoom").value = zoom;
    at("go-iterations").value = explorer.isAuto ? "auto" : explorer.iterations;
    at("command").value = command();
    iterated.refresh();
    showKept();
  }

  async function recolour(change) {
    const before = explorer.scheme;
    try {
      await explorer.colour({ ...before, range: null, ...change });
    } catch (error) {
      explorer.scheme = before;
      say(error.message);
    }
    remember();
  }

  function spread() {
    const repeat = Math.max(0.01, Number(at("repeat").value) || 1);
    const turns = at("turns").value;
    let mapping = at("mapping").value;
    if (turns === "period" && mapping === "rank") mapping = "linear";
    recolour({ mapping, period: turns === "period" ? repeat : 0, cycles: turns === "cycles" ? repeat : 0 }).then(refresh);
  }

  const own = editor(explorer, {
    say,
    async choose(palette) {
      await recolour({ palette, range: explorer.scheme.range });
      at("stops").value = palette;
      at("palette").value = "";
    },
    list: (palettes) => add(palettes, true),
  });
  at("editor").addEventListener("toggle", own.refresh);

  /** Adds palettes to the list; those that are kept replace what was kept before. */
  function add(palettes, areKept) {
    if (areKept) for (const option of at("palette").querySelectorAll("[data-kept]")) option.remove();
    for (const { name, palette } of palettes) {
      if ([...at("palette").options].some((option) => option.value === palette)) continue;
      const option = new Option(name || "of a file", palette);
      if (areKept) option.dataset.kept = "";
      at("palette").append(option);
    }
  }

  at("palette").addEventListener("change", () => at("palette").value && recolour({ palette: at("palette").value }).then(refresh));
  at("stops").addEventListener("change", () => at("stops").value && recolour({ palette: at("stops").value }).then(refresh));
  at("colour").addEventListener("change", () => recolour({ colour: at("colour").value }));
  for (const id of ["mapping", "turns", "repeat"]) at(id).addEventListener("change", spread);
  at("offset").addEventListener("input", () => recolour({ offset: Number(at("offset").value), range: explorer.scheme.range }));
  at("inside").addEventListener("input", () => recolour({ inside: rgbOf(at("inside").value), range: explorer.scheme.range }));
  for (const id of ["lit", "angle", "height"]) {
    at(id).addEventListener("input", () => recolour({ light: at("lit").checked ? [Number(at("angle").value), Number(at("height").value)] : null, range: explorer.scheme.range }));
  }

  at("go").addEventListener("submit", (event) => {
    event.preventDefault();
    const { width, height } = explorer.view;
    const view = View.at(at("go-re").value, at("go-im").value, at("go-zoom").value, width, height);
    if (!view) {
      say("Real part, imaginary part and zoom are numbers, such as -0.75, 0.1 and 1e6");
      return;
    }
    const iterations = Math.round(Number(at("go-iterations").value));
    go(view, { iterations: iterations > 0 ? iterations : undefined, isAuto: !(iterations > 0) });
    remember();
  });
  at("file").addEventListener("change", () => at("file").files[0] && openFile(at("file").files[0]));

  function showKept() {
    const list = kept();
    at("bookmarks").replaceChildren(...list.map((place, index) => {
      const item = document.createElement("li");
      const open = document.createElement("button");
      open.type = "button";
      open.setAttribute("aria-label", `Go to kept place ${index + 1}`);
      const picture = document.createElement("img");
      picture.src = place.picture;
      picture.alt = "";
      open.append(picture);
      open.addEventListener("click", () => {
        location.hash = place.hash;
      });
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "Remove";
      remove.addEventListener("click", () => {
        localStorage.setItem(KEPT, JSON.stringify(kept().filter((_, other) => other !== index)));
        showKept();
      });
      item.append(open, remove);
      return item;
    }));
  }

  function keep() {
    const small = document.createElement("canvas");
    [small.width, small.height] = [160, 90];
    const { canvas } = explorer;
    const scale = Math.max(160 / canvas.width, 90 / canvas.height);
    const [width, height] = [canvas.width * scale, canvas.height * scale];
    small.getContext("2d").drawImage(canvas, (160 - width) / 2, (90 - height) / 2, width, height);
    const list = [{ hash: address.write(explorer), picture: small.toDataURL("image/jpeg", 0.8) }, ...kept()];
    localStorage.setItem(KEPT, JSON.stringify(list.slice(0, MOST_KEPT)));
    showKept();
  }

  async function save(format) {
    say("Making the file …", true);
    try {
      const fine = 4 * explorer.pixels <= 1 << 23 && format !== "exr" ? 4 : 1;
      const file = await fetchFile(format, explorer.request(fine));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `mandelbrot.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      say("");
    } catch (error) {
      say(error.message);
    }
  }

  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      say(`${what} is copied`);
    } catch {
      at("command").value = text;
      at("command").select();
      say("Copy it from the field");
    }
  }

  const deeds = {
    home,
    in: () => go(explorer.view.zoomed(2)),
    out: () => go(explorer.view.zoomed(0.5)),
    minibrot: findMinibrot,
    colours: () => toggle("colours"),
    places: () => toggle("places"),
    save: () => toggle("save"),
    leave: leaving(explorer, say),
    help: () => at("help").showModal(),
    bookmark: keep,
    copy: () => copy(command(), "The command"),
    share: () => copy(location.origin + "/" + address.write(explorer), "The address"),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) deeds[button.dataset.do]();
    if (button.dataset.save) save(button.dataset.save);
    remember();
  });

  return {
    refresh,
    key(key) {
      const keys = { c: "colours", p: "places", s: "save", "?": "help" };
      if (key === "Escape") toggle(null);
      else if (key.toLowerCase() === "l" && !at("to-leave").hidden) deeds.leave();
      else if (keys[key.toLowerCase()]) deeds[keys[key.toLowerCase()]]();
    },
    addPalettes: (list) => add(list, false),
    async load() {
      const names = await fetchPalettes();
      at("palette").replaceChildren(new Option("as its stops say", ""), ...names.map((name) => new Option(name, name)));
      add(own.kept(), true);
    },
  };
}
