// A view of the plane: its centre to all digits, its magnification, and the size of its picture in pixels. Half of a picture's
// height is 2 / zoom in the plane.

import { addDouble, difference, format, parse, rescale, Zoom } from "./decimal.js";

// Digits of a centre beyond those of the magnification: a billionth of a pixel.
const MORE_DIGITS = 14;
export const MOST_ZOOM = 8100;
const LEAST_ZOOM = -1;

function digitsFor(zoom) {
  return Math.max(0, Math.ceil(zoom.log10)) + MORE_DIGITS;
}

export class View {
  constructor(re, im, zoom, width, height) {
    Object.assign(this, { re, im, zoom, width, height });
  }

  static home(width, height) {
    const zoom = new Zoom(Math.min(1.6, (1.28 * width) / height), 0);
    return View.at("-0.6", "0", zoom.toString(), width, height);
  }

  /** From texts; `null` where they are no numbers. */
  static at(re, im, zoom, width, height) {
    const [centreRe, centreIm, magnification] = [parse(re), parse(im), Zoom.parse(zoom)];
    if (!centreRe || !centreIm || !magnification) return null;
    if (magnification.log10 > MOST_ZOOM || magnification.log10 < LEAST_ZOOM) return null;
    return new View(centreRe, centreIm, magnification, width, height);
  }

  sized(width, height) {
    return new View(this.re, this.im, this.zoom, width, height);
  }

  /** Moved by pixels to the right and down. */
  moved(right, down) {
    const digits = Math.max(digitsFor(this.zoom), 1);
    const pixel = 4 / (this.zoom.mantissa * this.height);
    const exponent = -this.zoom.exponent;
    const re = addDouble(widened(this.re, digits), right * pixel, exponent);
    const im = addDouble(widened(this.im, digits), -down * pixel, exponent);
    return new View(trimmed(re, digits), trimmed(im, digits), this.zoom, this.width, this.height);
  }

  /** Magnified by a factor about a pixel, which stays where it is. */
  zoomed(factor, x = this.width / 2, y = this.height / 2) {
    let zoom = this.zoom.times(factor);
    if (zoom.log10 > MOST_ZOOM) zoom = this.zoom;
    if (zoom.log10 < LEAST_ZOOM) zoom = this.zoom;
    const exact = zoom.over(this.zoom);
    const [right, down] = [x - this.width / 2, y - this.height / 2];
    const here = this.moved(right, down);
    const there = new View(here.re, here.im, zoom, this.width, this.height);
    return exact === 1 ? this : there.moved(-right, -down);
  }

  /** Where a picture of another view lies in this one: its centre's offset in pixels, and the length of one of its pixels. */
  placeOf(other) {
    const pixels = this.zoom.mantissa * (this.height / 4);
    return {
      x: this.width / 2 + difference(other.re, this.re, this.zoom.exponent) * pixels,
      y: this.height / 2 - difference(other.im, this.im, this.zoom.exponent) * pixels,
      scale: (this.zoom.over(other.zoom) * this.height) / other.height,
    };
  }

  isSame(other) {
    return this.texts().join() === other.texts().join() && this.width === other.width && this.height === other.height;
  }

  texts() {
    return [format(this.re), format(this.im), this.zoom.toString()];
  }

  get digits() {
    return digitsFor(this.zoom) - MORE_DIGITS + Math.ceil(Math.log10(this.height)) + 1;
  }
}

function widened(number, digits) {
  return number.digits >= digits ? number : rescale(number, digits);
}

function trimmed(number, digits) {
  // What was typed or found is kept, unless the view went so far up that nobody could tell.
  return number.digits > digits + 20 ? rescale(number, digits) : number;
}
