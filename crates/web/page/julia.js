// The Julia set of the point under the pointer, in a corner; in doubles, a few milliseconds a picture.

const ITERATIONS = 200;

export function juliaPainter(canvas, explorer) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  let isDrawing = false;

  function draw(c) {
    const { width, height, data } = image;
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        let x = ((column + 0.5) / width - 0.5) * 3.4;
        let y = (0.5 - (row + 0.5) / height) * 3.4;
        let count = 0;
        while (count < ITERATIONS && x * x + y * y < 64) {
          [x, y] = [x * x - y * y + c[0], 2 * x * y + c[1]];
          count += 1;
        }
        const light = count === ITERATIONS ? 0 : 255 * Math.min(1, Math.log2(2 + count - Math.log2(Math.log2(x * x + y * y))) / 7);
        data.set([light * 0.7, light * 0.85, light, 255], 4 * (row * width + column));
      }
    }
    context.putImageData(image, 0, 0);
  }

  function pointOf([x, y]) {
    const there = explorer.view.moved(x - explorer.view.width / 2, y - explorer.view.height / 2);
    return there.texts().slice(0, 2).map(Number);
  }

  return {
    toggle(pointer) {
      canvas.hidden = !canvas.hidden;
      if (explorer.view) this.at(pointer || [explorer.view.width / 2, explorer.view.height / 2]);
    },
    at(pointer) {
      if (canvas.hidden || isDrawing) return;
      isDrawing = true;
      requestAnimationFrame(() => {
        isDrawing = false;
        draw(pointOf(pointer));
      });
    },
  };
}
