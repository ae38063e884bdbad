// The palette editor: stops with colours and places, joined as the program joins them; kept in this browser, and saved as files.

import { gradientFile } from "./gradients.js";

const at = (id) => document.getElementById(id);
const KEPT = "mandelfarm-palettes";
const MOST_KEPT = 60;
/** Stops that an editor of this size is good for, and those that a palette without stops is given. */
const MOST_STOPS = 64;
const MOST_FOUND = 16;
/** How far a palette may be from those that it is given, in levels of 255. */
const NEAR = 4;
const WORDS = /^\s*((?:cyclic|smooth|srgb|srgb-linear|oklab|oklch[\w-]*)(?:\s+(?:cyclic|smooth|srgb|srgb-linear|oklab|oklch[\w-]*))*)\s*:/i;

const hex = (colour) => `#${colour.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;
const rounded = (place) => Math.round(Math.min(100, Math.max(0, place)) * 100) / 100;

/** A colour as CSS has it, as six digits; `null` where it is none, or transparent. */
function colourOf(text) {
  const context = document.createElement("canvas").getContext("2d");
  const tried = ["#000000", "#ffffff"].map((before) => {
    context.fillStyle = before;
    context.fillStyle = text;
    return context.fillStyle;
  });
  return tried[0] === tried[1] && /^#[0-9a-f]{6}$/.test(tried[0]) ? tried[0] : null;
}

/** The stops of a text that is a plain list of them; `null` where it is anything else. */
export function stopsOf(text) {
  // A name, and be it that of a colour, too.
  if (/^[\w-]+$/.test(text)) return null;
  const words = (WORDS.exec(text) || ["", ""]);
  const said = words[1].toLowerCase().split(/\s+/).filter(Boolean);
  const parts = text.slice(words[0].length).split(/,(?![^(]*\))/).map((part) => /^\s*(.*?)(?:\s+(-?[\d.]+)%)?\s*$/.exec(part));
  const stops = parts.map((part) => part && { colour: colourOf(part[1]), place: part[2] === undefined ? null : Number(part[2]) });
  if (!stops.length || stops.length > MOST_STOPS || stops.some((stop) => !stop || !stop.colour)) return null;
  const cyclic = said.includes("cyclic");
  if (stops.every(({ place }) => place === null)) {
    const last = Math.max(1, stops.length - (cyclic ? 0 : 1));
    stops.forEach((stop, index) => Object.assign(stop, { place: rounded((100 * index) / last) }));
  }
  if (stops.some(({ place }, index) => place === null || place < 0 || place > 100 || (index && place < stops[index - 1].place))) return null;
  return { stops, cyclic, smooth: said.includes("smooth"), blend: said.find((word) => !["cyclic", "smooth"].includes(word)) || "srgb" };
}

/** As few stops as show colours that are laid out, or the most. */
function stopsFor({ colours, closes }) {
  const steps = colours.length / 3 - 1;
  const of = (step) => [0, 1, 2].map((i) => colours[3 * step + i]);
  const chosen = [0, steps];
  while (chosen.length < MOST_FOUND) {
    let [worst, where] = [NEAR / 255, null];
    for (let index = 1; index < chosen.length; index += 1) {
      const [from, to] = [chosen[index - 1], chosen[index]];
      const [start, end] = [of(from), of(to)];
      for (let step = from + 1; step < to; step += 8) {
        const part = (step - from) / (to - from);
        const off = Math.max(...of(step).map((value, i) => Math.abs(value - start[i] - part * (end[i] - start[i]))));
        if (off > worst) [worst, where] = [off, step];
      }
    }
    if (where === null) break;
    chosen.push(where);
    chosen.sort((a, b) => a - b);
  }
  if (closes) chosen.pop();
  const stops = chosen.map((step) => ({ colour: hex(of(step)), place: rounded((100 * step) / steps) }));
  return { stops, cyclic: closes, smooth: false, blend: "srgb" };
}

function textOf({ stops, cyclic, smooth, blend }) {
  const words = [cyclic && "cyclic", smooth && "smooth", blend !== "srgb" && blend].filter(Boolean);
  return `${words.length ? `${words.join(" ")}: ` : ""}${stops.map(({ colour, place }) => `${colour} ${place}%`).join(", ")}`;
}

function kept() {
  try {
    const list = JSON.parse(localStorage.getItem(KEPT) || "[]");
    return Array.isArray(list) ? list.filter(({ name, palette }) => typeof name === "string" && typeof palette === "string") : [];
  } catch {
    return [];
  }
}

/** Wires the editor; `choose` is told of a palette as a text, and `list` of those that are kept. */
export function editor(explorer, { choose, list, say }) {
  let now = null;
  let text = null;
  let held = null;
  const [before, after] = [[], []];

  function show() {
    const { cyclic, smooth, blend, stops } = now;
    at("cyclic").checked = cyclic;
    at("curved").checked = smooth;
    at("blend").value = blend;
    at("undo").disabled = !before.length;
    at("redo").disabled = !after.length;
    while (at("stop-list").children.length > stops.length) at("stop-list").lastChild.remove();
    stops.forEach((stop, index) => {
      const row = at("stop-list").children[index] || at("stop-list").appendChild(made());
      const [colour, place, remove] = row.children;
      colour.value = stop.colour;
      if (document.activeElement !== place || Number(place.value) !== stop.place) place.value = stop.place;
      colour.setAttribute("aria-label", `Colour of stop ${index + 1}`);
      place.setAttribute("aria-label", `Place of stop ${index + 1}, in percent`);
      remove.setAttribute("aria-label", `Remove stop ${index + 1}`);
      remove.disabled = stops.length < 2;
    });
    draw();
  }

  function made() {
    const row = document.createElement("li");
    const [colour, place, remove] = [document.createElement("input"), document.createElement("input"), document.createElement("button")];
    colour.type = "color";
    Object.assign(place, { type: "number", min: 0, max: 100, step: "any" });
    Object.assign(remove, { type: "button", textContent: "×" });
    const index = () => [...at("stop-list").children].indexOf(row);
    const replace = (change) => now.stops.map((stop, other) => (other === index() ? { ...stop, ...change } : stop));
    colour.addEventListener("input", () => change({ stops: replace({ colour: colour.value }) }, `colour ${index()}`));
    place.addEventListener("change", () => place.value !== "" && change({ stops: replace({ place: rounded(Number(place.value)) }) }));
    remove.addEventListener("click", () => {
      const gone = index();
      change({ stops: now.stops.filter((_, other) => other !== gone) });
      at("stop-list").children[Math.min(gone, now.stops.length - 1)].children[1].focus();
    });
    row.append(colour, place, remove);
    return row;
  }

  /** Takes a change over; `kind` of those of which many in a row are one to undo. */
  function change(changes, kind) {
    const next = { ...now, ...changes };
    next.stops = [...next.stops].sort((a, b) => a.place - b.place);
    if (!kind || kind !== held) {
      before.push(text);
      after.length = 0;
    }
    held = kind || null;
    settle(textOf(next));
  }

  function settle(wanted) {
    text = wanted;
    now = stopsOf(text);
    choose(text).then(show);
  }

  function step(from, to) {
    if (!from.length) return;
    to.push(text);
    held = null;
    const wanted = from.pop();
    const stops = stopsOf(wanted);
    if (stops) {
      settle(wanted);
    } else {
      // A name, from which editing began.
      text = wanted;
      choose(wanted).then(() => {
        now = stopsFor(explorer.kept);
        show();
      });
    }
  }

  function draw() {
    const { width, height } = at("bar");
    const context = at("bar").getContext("2d");
    const { colours } = explorer.kept;
    const steps = colours.length / 3 - 1;
    context.clearRect(0, 0, width, height);
    for (let x = 0; x < width; x += 1) {
      const from = 3 * Math.round((x / (width - 1)) * steps);
      context.fillStyle = hex([...colours.subarray(from, from + 3)]);
      context.fillRect(x, 0, 1, height - 14);
    }
    for (const { colour, place } of now.stops) {
      const x = (place / 100) * (width - 1);
      context.beginPath();
      context.moveTo(x, height - 18);
      context.lineTo(x - 6, height - 2);
      context.lineTo(x + 6, height - 2);
      context.closePath();
      context.fillStyle = colour;
      context.strokeStyle = "#f2f4f8";
      context.fill();
      context.stroke();
    }
  }

  let dragged = -1;
  const placeOf = (event) => {
    const box = at("bar").getBoundingClientRect();
    return rounded((100 * (event.clientX - box.left)) / box.width);
  };
  at("bar").addEventListener("pointerdown", (event) => {
    const place = placeOf(event);
    const near = now.stops.map((stop) => Math.abs(stop.place - place));
    dragged = near.indexOf(Math.min(...near));
    if (near[dragged] > 2.5) add(place);
    at("bar").setPointerCapture(event.pointerId);
  });
  at("bar").addEventListener("pointermove", (event) => {
    if (dragged < 0 || !at("bar").hasPointerCapture(event.pointerId)) return;
    const [least, most] = [now.stops[dragged - 1], now.stops[dragged + 1]].map((stop) => stop && stop.place);
    const place = Math.min(most ?? 100, Math.max(least ?? 0, placeOf(event)));
    change({ stops: now.stops.map((stop, index) => (index === dragged ? { ...stop, place } : stop)) }, "drag");
  });
  for (const end of ["pointerup", "pointercancel"]) {
    at("bar").addEventListener(end, () => {
      dragged = -1;
      held = null;
    });
  }

  /** A stop of the colour that is there already. */
  function add(place) {
    if (now.stops.length >= MOST_STOPS) {
      say(`A palette has at most ${MOST_STOPS} stops here`);
      return;
    }
    const { colours } = explorer.kept;
    const from = 3 * Math.round((place / 100) * (colours.length / 3 - 1));
    change({ stops: [...now.stops, { colour: hex([...colours.subarray(from, from + 3)]), place }] });
    dragged = now.stops.findIndex((stop) => stop.place === place);
  }

  /** The middle of the widest gap. */
  function widest() {
    const places = [...now.stops.map(({ place }) => place), now.cyclic ? 100 + now.stops[0].place : 100];
    const gaps = places.slice(1).map((place, index) => place - places[index]);
    const index = gaps.indexOf(Math.max(...gaps));
    return rounded((places[index] + gaps[index] / 2) % 100);
  }

  at("add-stop").addEventListener("click", () => {
    const place = widest();
    add(place);
    at("stop-list").children[now.stops.findIndex((stop) => stop.place === place)]?.children[0].focus();
    dragged = -1;
  });
  at("undo").addEventListener("click", () => step(before, after));
  at("redo").addEventListener("click", () => step(after, before));
  at("spread").addEventListener("click", () => {
    const last = Math.max(1, now.stops.length - (now.cyclic ? 0 : 1));
    change({ stops: now.stops.map(({ colour }, index) => ({ colour, place: rounded((100 * index) / last) })) });
  });
  at("reverse").addEventListener("click", () => change({ stops: now.stops.map(({ colour, place }) => ({ colour, place: rounded(100 - place) })).reverse() }));
  at("cyclic").addEventListener("change", () => change({ cyclic: at("cyclic").checked }));
  at("curved").addEventListener("change", () => change({ smooth: at("curved").checked }));
  at("blend").addEventListener("change", () => change({ blend: at("blend").value }));
  at("editor").addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.type === "text") return;
    event.preventDefault();
    if (event.shiftKey) step(after, before);
    else step(before, after);
  });
  at("keep-palette").addEventListener("click", () => {
    const name = at("palette-name").value.trim() || "my palette";
    const others = kept().filter((one) => one.name !== name);
    localStorage.setItem(KEPT, JSON.stringify([{ name, palette: text }, ...others].slice(0, MOST_KEPT)));
    list(kept());
    say(`${name} is in the list of palettes`);
  });
  at("forget-palette").addEventListener("click", () => {
    localStorage.setItem(KEPT, JSON.stringify(kept().filter(({ palette }) => palette !== text)));
    list(kept());
  });
  for (const button of document.querySelectorAll("[data-gradient]")) {
    button.addEventListener("click", () => {
      const kind = button.dataset.gradient;
      const name = at("palette-name").value.trim() || "my palette";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([gradientFile(kind, name, explorer.kept, now, text)], { type: "text/plain" }));
      link.download = `${name.replace(/[^\w .-]/g, "_")}.${kind}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  return {
    kept,
    /** Shows the palette that is seen now, where the editor is open. */
    refresh() {
      if (!at("editor").open || !explorer.kept) return;
      const { palette } = explorer.scheme;
      if (palette !== text) {
        before.length = 0;
        after.length = 0;
        text = palette;
        now = stopsOf(palette) || stopsFor(explorer.kept);
        at("palette-name").value = kept().find((one) => one.palette === palette)?.name || "";
      }
      show();
    },
  };
}
