// The Julia set of the point under the pointer, in a corner: in doubles where it is of z² + c, a few milliseconds a picture, and
// by the server where it is of another formula.

import { fetchTile } from "./server.js";

const ITERATIONS = 200;
/** Of the plane, beside each other in the picture. */
const WIDE = 3.4;

/** `enter` is told the c of a Julia set that somebody goes to. */
export function juliaPainter(canvas, explorer, enter) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  let isDrawing = false;
  let generation = 0;
  let c = null;
  let next = null;

  function put(index, smooth) {
    const light = smooth === 0 ? 0 : 255 * Math.min(1, Math.log2(1 + Math.max(0, smooth)) / 7);
    image.data.set([light * 0.7, light * 0.85, light, 255], 4 * index);
  }

  function iterate([re, im]) {
    const { width, height } = image;
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        let x = ((column + 0.5) / width - 0.5) * WIDE;
        let y = (0.5 - (row + 0.5) / height) * WIDE;
        let count = 0;
        while (count < ITERATIONS && x * x + y * y < 64) {
          [x, y] = [x * x - y * y + re, 2 * x * y + im];
          count += 1;
        }
        put(row * width + column, count === ITERATIONS ? 0 : 1 + count - Math.log2(Math.log2(x * x + y * y)));
      }
    }
  }

  async function draw() {
    const { formula } = explorer.extra;
    if (formula) {
      generation += 1;
      const request = { formula, julia: c, re: "0", im: "0", zoom: String(4 / WIDE), size: `${image.width}x${image.height}`, iterations: ITERATIONS };
      const { values } = await fetchTile({ request, scale: 1, near: false, generation, of: "julia" });
      values.forEach((smooth, index) => put(index, smooth));
    } else {
      iterate(c.map(Number));
    }
    context.putImageData(image, 0, 0);
    canvas.dataset.drawn = c.join(" ");
  }

  /** Draws the latest point that was pointed at, one at a time. */
  async function drawSoon() {
    if (isDrawing) return;
    isDrawing = true;
    while (next) {
      [c, next] = [next, null];
      await new Promise(requestAnimationFrame);
      await draw().catch(() => {});
    }
    isDrawing = false;
  }

  function pointOf([x, y]) {
    const there = explorer.view.moved(x - explorer.view.width / 2, y - explorer.view.height / 2);
    return there.texts().slice(0, 2);
  }

  const middle = () => [explorer.view.width / 2, explorer.view.height / 2];
  canvas.addEventListener("click", () => c && enter(c));
  return {
    toggle(pointer) {
      canvas.hidden = !canvas.hidden;
      if (explorer.view) this.at(pointer || middle());
    },
    at(pointer) {
      if (canvas.hidden || explorer.extra.julia) return;
      next = pointOf(pointer);
      drawSoon();
    },
    /** Goes to the Julia set of a point, or from one to that of z² + c or its formula. */
    enter(pointer) {
      canvas.hidden = true;
      enter(explorer.extra.julia ? undefined : pointOf(pointer || middle()));
    },
  };
}
