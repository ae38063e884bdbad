// Layers of values, painted without a graphics card.

import { paint } from "./painter.js";

/** A tile's pixels in colours, on a canvas of their own. */
export function painted(tile, tables) {
  const canvas = document.createElement("canvas");
  canvas.width = tile.width / tile.side;
  canvas.height = tile.height / tile.side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  paint(tile, tables, image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** What paints layers on a plain canvas. */
export function plainPainter(canvas) {
  const context = canvas.getContext("2d", { alpha: false });
  const made = new WeakMap();
  return {
    name: "Canvas",
    most: 16384,
    paint(layers, tables) {
      context.imageSmoothingEnabled = false;
      context.fillStyle = "#0a0d14";
      context.fillRect(0, 0, canvas.width, canvas.height);
      for (const { tile, x, y, scale, factor, isOwn } of layers) {
        let known = made.get(tile);
        // What another view has left keeps its colours until the values of this one come.
        const isOther = known && known.tables !== tables && (isOwn || known.tables.scheme !== tables.scheme);
        if (!known || isOther || known.factor !== factor) {
          known = { tables, factor, picture: painted(tile, { ...tables, factor }) };
          made.set(tile, known);
        }
        const { picture } = known;
        context.drawImage(picture, x, y, picture.width * scale, picture.height * scale);
      }
    },
    forget() {},
  };
}
