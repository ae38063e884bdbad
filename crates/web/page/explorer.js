// What is looked at: the view, its values as they come, and their picture. Never blank: what is there is scaled meanwhile.

import { palette as layOutPalette, places, ranksOf, relief } from "./painter.js";
import { requestOf } from "./scheme.js";
import { fetchPalette, fetchTile, Refused } from "./server.js";

// Seconds that the first picture of a view may take, and milliseconds of rest before pixels get more samples.
const SOON = 0.06;
const REST_MS = 250;
// Pictures on the way, each the square of its number cheaper than the whole one, and seconds of that from which they are worth it.
const FIRST = [1, 4, 8];
const WORTH = { 4: 4, 2: 8, 1: 0 };
// Seconds of a pixel where nothing like it was seen, and how much nearer or farther a place is like another.
const UNKNOWN = 1e-6;
const ALIKE = 16;
const MOST_SAMPLES = 1 << 23;
const MOST_ITERATIONS = 10_000_000;

export class Explorer {
  constructor(canvas, makePainter, told) {
    this.canvas = canvas;
    this.painter = makePainter(canvas);
    this.told = told;
    this.view = null;
    this.scheme = null;
    this.extra = {};
    this.iterations = 1000;
    this.isAuto = true;
    this.layers = [];
    this.range = [0, 1];
    this.generation = 0;
    this.secondsOfPixel = UNKNOWN;
    this.under = null;
    this.palettes = new Map();
    this.ranks = null;
    this.retryMs = 500;
  }

  /** What is iterated and how the view is turned. Values of another formula are shown no longer. */
  become(extra) {
    const iterated = ({ formula, julia }) => `${formula} ${julia}`;
    if (iterated(extra) !== iterated(this.extra)) {
      this.drop(() => false);
      this.needed = 0;
      this.secondsOfPixel = UNKNOWN;
    }
    this.extra = extra;
  }

  /** Goes to a view; its picture follows. */
  show(view, { iterations, isAuto } = {}) {
    const { x, y, scale } = view.placeOf(this.view || view);
    const isAlike = Math.hypot(x, y) < ALIKE * view.width && scale < ALIKE && scale > 1 / ALIKE;
    if (!isAlike) this.secondsOfPixel = Math.max(this.secondsOfPixel, UNKNOWN);
    this.view = view;
    if (isAuto !== undefined) this.isAuto = isAuto;
    if (iterations) this.iterations = Math.min(iterations, MOST_ITERATIONS);
    else if (this.isAuto) this.iterations = this.suitable();
    if (this.canvas.width !== view.width || this.canvas.height !== view.height) {
      this.canvas.width = view.width;
      this.canvas.height = view.height;
    }
    this.next = null;
    clearTimeout(this.resting);
    // A first picture that is nearly there is worth its while, also when the view has moved on.
    if (this.under && !this.under.isFirst) this.under.abort.abort();
    this.paintSoon();
    this.proceed();
  }

  /** Other colours for the same view; values are asked for anew where these are made of others. */
  async colour(scheme) {
    const before = this.scheme;
    if (this.kept && this.kept.palette === scheme.palette && JSON.stringify(before) === JSON.stringify(scheme)) return;
    this.scheme = scheme;
    const kept = await this.paletteOf(scheme.palette);
    if (this.scheme !== scheme) return;
    this.kept = { ...kept, palette: scheme.palette };
    this.tables = null;
    const measures = (one) => (one.colour === "distance" ? 1 : 0) + (one.light ? 2 : 0);
    const isOther = !before || measures(before) !== measures(scheme);
    const ranged = (one) => String(one.range);
    if (this.view && (isOther || ranged(before) !== ranged(scheme))) {
      if (before && isOther) this.layers = this.layers.filter(({ tile }) => measures(tile.scheme) === measures(scheme));
      this.show(this.view, { iterations: this.iterations });
    }
    this.paintSoon();
  }

  async paletteOf(name) {
    let known = this.palettes.get(name);
    if (!known) {
      if (this.palettes.size > 64) this.palettes.clear();
      known = await fetchPalette(name);
      this.palettes.set(name, known);
    }
    return known;
  }

  /** Iterations to begin with: no fewer than views of this depth mostly need, and than the last one did. */
  suitable() {
    const octaves = Math.max(0, this.view.zoom.log10 * Math.log2(10));
    const base = 1000 + 50 * Math.ceil(octaves);
    const needed = this.needed ? 3 * this.needed : 0;
    return Math.min(MOST_ITERATIONS, Math.max(base, 2 ** Math.ceil(Math.log2(Math.max(1, needed)))));
  }

  request(samples = 1) {
    const [re, im, zoom] = this.view.texts();
    const request = { re, im, zoom, size: `${this.view.width}x${this.view.height}`, iterations: this.iterations, ...this.extra, ...requestOf(this.scheme) };
    if (samples > 1) request.samples = samples;
    return request;
  }

  get pixels() {
    return this.view.width * this.view.height;
  }

  /** Seconds that all of the view will take, as far as is known. */
  get seconds() {
    return this.secondsOfPixel * this.pixels;
  }

  /** What is asked for next of the view. */
  step() {
    if (this.next !== null) return this.next;
    const scale = FIRST.find((one) => this.seconds / one ** 2 <= SOON) || FIRST[FIRST.length - 1];
    return { scale, samples: 1, isFirst: true };
  }

  /** Asks for the next picture of the view, if none is under way. */
  async proceed() {
    if (this.under || !this.view || !this.scheme) return;
    if (this.next === "rest") {
      this.restOncePainted();
      return;
    }
    if (this.next && this.next.waits) {
      this.told.state("computing");
      this.resting = setTimeout(() => {
        this.next = { ...this.next, waits: false };
        this.proceed();
      }, REST_MS);
      return;
    }
    const step = this.step();
    const { view, scheme, extra } = this;
    const abort = new AbortController();
    const under = { abort, isFirst: step.isFirst };
    this.under = under;
    if (step.isFirst) this.generation += 1;
    this.told.state(step.isFirst ? "moving" : "computing");
    let tile = null;
    let failed = null;
    try {
      const request = this.request(step.samples);
      tile = await fetchTile({ request, scale: step.scale, near: Boolean(step.isFirst) || step.scale > 1, generation: this.generation, signal: abort.signal });
    } catch (error) {
      failed = error;
    }
    this.under = null;
    const isStill = this.view === view && this.scheme === scheme && this.extra === extra;
    if (tile && this.extra === extra) {
      Object.assign(tile, { view, scheme, step, generation: this.generation });
      this.take(tile, isStill);
    } else if (failed && failed.name !== "AbortError" && !(failed instanceof Refused && failed.status === 409)) {
      this.fail(failed, isStill);
      return;
    }
    if (!isStill) this.next = null;
    this.proceed();
  }

  /** A question that failed: said, and asked again after a while, unless it makes no sense. */
  fail(error, isStill) {
    this.told.problem(error.message);
    if (isStill && error instanceof Refused && error.status < 500) {
      this.next = "rest";
      this.restOncePainted();
      return;
    }
    setTimeout(() => this.proceed(), this.retryMs);
    this.retryMs = Math.min(8000, this.retryMs * 2);
  }

  take(tile, isStill) {
    this.retryMs = 500;
    const count = tile.width * tile.height;
    if (count > 1000) this.secondsOfPixel = tile.seconds / count;
    tile.factor = tile.scheme.colour === "distance" ? (1 / tile.side) * tile.step.scale : 1;
    this.layers.push({ tile, view: tile.view });
    if (isStill) {
      const scale = tile.scheme.colour === "distance" ? tile.step.scale : 1;
      this.range = tile.range.map((end) => end * scale);
      this.ranks = null;
      this.tables = null;
      this.latest = tile;
      this.plan(tile);
      if (tile.step.scale === 1) this.drop(({ tile: other }) => other === tile);
    }
    if (this.layers.length > 4) this.drop((_, index) => index >= this.layers.length - 4);
    this.paintSoon();
    this.told.tile(tile);
  }

  drop(isKept) {
    const gone = this.layers.filter((layer, index) => !isKept(layer, index));
    this.layers = this.layers.filter(isKept);
    for (const { tile } of gone) {
      this.painter.forget(tile.values);
      this.painter.forget(tile.smooth);
    }
  }

  /** What follows a picture of the view: more iterations, more pixels, its own reference, more samples, or rest. */
  plan(tile) {
    if (this.isAuto && this.raise(tile)) {
      this.next = null;
      return;
    }
    if (tile.step.scale > 1) {
      const more = [4, 2, 1].find((scale) => scale < tile.step.scale && this.seconds >= WORTH[scale]);
      this.next = { scale: more, samples: 1 };
    } else if (tile.reference === "near") {
      this.next = { scale: 1, samples: 1 };
    } else {
      const fits = 4 * this.pixels <= MOST_SAMPLES && 2 * Math.max(this.view.width, this.view.height) <= this.painter.most;
      this.next = tile.step.samples === 1 && fits ? { scale: 1, samples: 4, waits: true } : "rest";
    }
  }

  /** Whether the view needs more iterations: some of it escapes near the limit, or none does where some should. */
  raise(tile) {
    const { values } = tile;
    const counts = tile.smooth || values;
    let [outside, late, highest] = [0, 0, 0];
    const limit = this.iterations / 2;
    for (let i = 0; i < counts.length; i += 1) {
      const value = counts[i];
      if (value === 0) continue;
      outside += 1;
      if (value > limit) late += 1;
      if (value > highest) highest = value;
    }
    if (tile.scheme.colour === "distance" && !tile.smooth) return false;
    this.needed = Math.min(highest, this.iterations);
    const octaves = Math.max(0, this.view.zoom.log10 * Math.log2(10));
    const isShort = outside === 0 ? octaves > 4 && this.iterations < 200 * octaves : late > 0.004 * counts.length;
    if (!isShort || this.iterations >= MOST_ITERATIONS) return false;
    this.iterations = Math.min(MOST_ITERATIONS, 2 * this.iterations);
    return true;
  }

  layOut() {
    if (this.tables || !this.kept) return this.tables;
    const { scheme } = this;
    if (scheme.mapping === "rank" && !this.ranks) this.ranks = this.latest ? ranksOf(this.latest.values, this.latest.width) : new Float32Array(0);
    const range = scheme.range || this.range;
    this.tables = {
      map: places(scheme, range, this.ranks || []),
      colours: layOutPalette(this.kept.colours, this.kept.closes, scheme),
      banded: scheme.colour === "bands",
      light: scheme.light ? relief(scheme.light) : null,
      scheme,
    };
    return this.tables;
  }

  paintSoon() {
    if (this.isPainting) return;
    this.isPainting = true;
    requestAnimationFrame(() => {
      this.isPainting = false;
      this.paint();
      if (this.next === "rest" && !this.under) this.restOncePainted();
    });
  }

  /** Says that the view is complete: once it is seen, too. */
  restOncePainted() {
    if (!this.isPainting) this.told.state("rest");
  }

  paint() {
    const tables = this.layOut();
    if (!tables || !this.view) return;
    const layers = this.layers.map(({ tile, view }) => {
      const { x, y, scale } = this.view.placeOf(view);
      const pixel = scale * tile.step.scale;
      const [width, height] = [(tile.width / tile.side) * pixel, (tile.height / tile.side) * pixel];
      const factor = tile.scheme.colour === "distance" ? pixel / tile.side : 1;
      return { tile, x: x - width / 2, y: y - height / 2, scale: pixel, factor, isOwn: view === this.view };
    });
    const seen = layers.filter(({ scale, x, y }) => [scale, x, y].every(Number.isFinite) && scale > 1e-4 && scale < 1e6);
    // The finest lie on top.
    seen.sort((a, b) => b.scale / b.tile.side - a.scale / a.tile.side);
    // Nothing is seen of what lies under a layer that covers everything.
    const covers = ({ tile, x, y, scale }) =>
      x <= 0 && y <= 0 && x + (tile.width / tile.side) * scale >= this.view.width && y + (tile.height / tile.side) * scale >= this.view.height;
    const first = Math.max(0, seen.findLastIndex(covers));
    if (seen.length) this.painter.paint(seen.slice(first), tables);
    const own = seen.slice(first).findLast(({ isOwn }) => isOwn);
    this.told.painted(own && own.tile);
  }
}
