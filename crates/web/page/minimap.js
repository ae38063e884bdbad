// The whole set, and where the view is in it.

import { painted } from "./canvas.js";
import { difference } from "./decimal.js";
import { palette as layOutPalette, places } from "./painter.js";
import { plainScheme } from "./scheme.js";
import { fetchPalette, fetchTile } from "./server.js";

export class Minimap {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.generation = 0;
    this.shown = null;
    this.view = null;
    this.picture = null;
  }

  /** The picture of what is iterated, whose home view is `view`, where it is not there already. */
  async load(explorer, view) {
    const { formula, julia } = explorer.extra;
    const wanted = JSON.stringify({ formula, julia });
    if (this.shown === wanted) return;
    Object.assign(this, { shown: wanted, view, picture: null });
    this.generation += 1;
    const [re, im, zoom] = view.texts();
    const request = { ...JSON.parse(wanted), re, im, zoom, size: `${view.width}x${view.height}`, iterations: 500, samples: 4 };
    try {
      const tile = await fetchTile({ request, scale: 1, near: false, generation: this.generation, of: "map" });
      const { colours, closes } = await fetchPalette("ice");
      if (this.shown !== wanted) return;
      const scheme = { ...plainScheme(), palette: "ice" };
      const tables = { map: places(scheme, tile.range, []), colours: layOutPalette(colours, closes, scheme), banded: false, light: null, factor: 1 };
      this.picture = painted(tile, tables);
      this.mark(explorer);
    } catch (error) {
      // Asked for again with the next tile.
      if (this.shown === wanted) this.shown = null;
      throw error;
    }
  }

  /** Draws the view's frame. */
  mark(explorer) {
    const { context, canvas } = this;
    context.fillStyle = "#0a0d14";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.picture) context.drawImage(this.picture, 0, 0);
    const { view } = explorer;
    if (!view || !this.view) return;
    const pixel = 4 / (10 ** this.view.zoom.log10 * canvas.height);
    const x = canvas.width / 2 + difference(view.re, this.view.re, 0) / pixel;
    const y = canvas.height / 2 - difference(view.im, this.view.im, 0) / pixel;
    const half = 2 / 10 ** Math.min(300, view.zoom.log10) / pixel;
    const [high, wide] = [Math.max(3, half), Math.max(3, (half * view.width) / view.height)];
    context.strokeStyle = "#ffd166";
    context.lineWidth = 1.5;
    context.strokeRect(x - wide, y - high, 2 * wide, 2 * high);
  }

  /** A view around the point under a pointer. */
  viewOf(event) {
    if (!this.view) return null;
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.canvas.width;
    const y = ((event.clientY - box.top) / box.height) * this.canvas.height;
    const there = this.view.moved(x - this.canvas.width / 2, y - this.canvas.height / 2);
    return there.zoomed(8 / 10 ** this.view.zoom.log10);
  }
}
