// What is iterated: a formula by its name or its operations, and the c of a Julia set.

import { parse } from "./decimal.js";
import { fetchFormulas } from "./server.js";
import { View } from "./view.js";

const at = (id) => document.getElementById(id);
/** Where nothing is known of a formula, and of a Julia set: all of it lies within. */
const AROUND = [-2, 2, -2, 2];
const AROUND_JULIA = [-1.8, 1.8, -1.8, 1.8];
/** Room beside what is shown whole. */
const MARGIN = 1.05;

/** Wires the form of formulas; `become` is told of another one. */
export function formulas(explorer, { become, say }) {
  let known = [];

  function named(formula) {
    return known.find(({ name, operations }) => name === formula || operations === formula);
  }

  /** The view that shows all of what is iterated. */
  function home({ formula, julia }, width, height) {
    if (!formula && !julia) return View.home(width, height);
    const found = named(formula);
    const [left, right, bottom, top] = julia ? AROUND_JULIA : found ? found.bounds : AROUND;
    const half = (MARGIN / 2) * Math.max(top - bottom, ((right - left) * height) / width);
    return View.at(String((left + right) / 2), String((bottom + top) / 2), (2 / half).toFixed(6), width, height);
  }

  function refresh() {
    const { formula, julia } = explorer.extra;
    const found = formula && named(formula);
    at("formula").value = found ? found.name : "";
    at("operations").value = formula && !found ? formula : "";
    at("julia-c").value = julia ? julia.join(" ") : "";
  }

  at("formula").addEventListener("change", () => {
    at("operations").value = "";
  });
  at("iterate").addEventListener("submit", (event) => {
    event.preventDefault();
    const formula = at("operations").value.trim() || at("formula").value;
    const c = at("julia-c").value.trim().split(/[\s,]+/).filter(Boolean);
    if (c.length && (c.length !== 2 || !c.every((part) => parse(part)))) {
      say("A Julia set is of two numbers, such as -0.8 0.156");
      return;
    }
    const extra = {};
    if (formula) extra.formula = formula;
    if (c.length) extra.julia = c;
    become(extra);
  });

  return {
    home,
    refresh,
    async load() {
      known = (await fetchFormulas()).filter(({ name }) => name !== "mandelbrot");
      at("formula").append(...known.map(({ name }) => new Option(name, name)));
    },
  };
}
