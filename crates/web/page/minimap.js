// The whole set, and where the view is in it.

import { painted } from "./canvas.js";
import { palette as layOutPalette, places } from "./painter.js";
import { plainScheme } from "./scheme.js";
import { fetchPalette, fetchTile } from "./server.js";
import { difference, parse } from "./decimal.js";

const [LEFT, TOP, ZOOM] = [-2.1, 1.28, 1.5625];

export class Minimap {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.pixel = 2.56 / canvas.height;
    this.picture = null;
  }

  async load() {
    const { width, height } = this.canvas;
    const re = LEFT + (width / 2) * this.pixel;
    const request = { re: re.toFixed(6), im: "0", zoom: String(ZOOM), size: `${width}x${height}`, iterations: 500, samples: 4 };
    const tile = await fetchTile({ request, scale: 1, near: false, generation: 1, map: true });
    const { colours, closes } = await fetchPalette("ice");
    const scheme = { ...plainScheme(), palette: "ice" };
    const tables = { map: places(scheme, tile.range, []), colours: layOutPalette(colours, closes, scheme), banded: false, light: null, factor: 1 };
    this.picture = painted(tile, tables);
    if (this.latest) this.mark(this.latest);
  }

  /** Draws the view's frame. */
  mark(explorer) {
    this.latest = explorer;
    const { context, canvas, pixel } = this;
    context.fillStyle = "#0a0d14";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.picture) context.drawImage(this.picture, 0, 0);
    const { view } = explorer;
    if (!view) return;
    const of = (number, base) => difference(number, parse(base.toFixed(3)), 0);
    const x = of(view.re, LEFT) / pixel;
    const y = -of(view.im, TOP) / pixel;
    const half = 2 / 10 ** Math.min(300, view.zoom.log10) / pixel;
    const [high, wide] = [Math.max(3, half), Math.max(3, (half * view.width) / view.height)];
    context.strokeStyle = "#ffd166";
    context.lineWidth = 1.5;
    context.strokeRect(x - wide, y - high, 2 * wide, 2 * high);
  }

  /** The point of the plane under a pointer. */
  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [(LEFT + part[0] * this.canvas.width * this.pixel).toFixed(6), (TOP - part[1] * this.canvas.height * this.pixel).toFixed(6)];
  }
}
