// From values to colours, as the program's painter has it: value -> place on the palette in 2^-32 of a turn -> linear light ->
// relief -> mean of a pixel's samples -> sRGB. Tables are laid out here; shaders and the plain painter go by the same ones.

const SHIFT = 13;
const ONE = 0x3f800000;
const MOST_OCTAVES = 54;
const TURN = 4294967296;
export const STEPS = 4096;
export const ROW = 1024;

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);
export function bitsOf(value) {
  float[0] = value;
  return word[0];
}
function floatOf(bits) {
  word[0] = bits;
  return float[0];
}
function wrapped(units) {
  return Math.trunc(units - Math.floor(units / TURN) * TURN) >>> 0;
}

/** Places of values: `{low, top, pieces: Uint32Array of place and rise, isFine}`. */
export function places(scheme, range, ranks) {
  const mapped = {
    log: (above) => Math.log2(1 + above),
    sqrt: Math.sqrt,
    linear: (above) => above,
  }[scheme.mapping];
  if (scheme.mapping === "rank") {
    const [first, last] = ranks.length ? [ranks[0], ranks[ranks.length - 1]] : [0, 1];
    const rank = (above) => {
      const value = Math.fround(first + above);
      const less = bound(ranks, (other) => other < value);
      const equal = bound(ranks, (other) => other <= value) - less;
      return (less + 0.5 * equal) / Math.max(1, ranks.length);
    };
    return layOut(first, 1 + Math.max(last - first, 1), rank, scheme.cycles || 1, scheme.offset, !scheme.cycles);
  }
  if (scheme.period) return layOut(0, 2 ** MOST_OCTAVES, mapped, 1 / scheme.period, scheme.offset, false);
  const extent = Math.max(range[1] - range[0], 1.1920928955078125e-7);
  return layOut(range[0], 1 + extent, mapped, (scheme.cycles || 1) / mapped(extent), scheme.offset, !scheme.cycles);
}

function bound(sorted, isBefore) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

function layOut(low, above, mapped, turns, offset, ends) {
  const top = Math.fround(above);
  const count = ((bitsOf(Math.max(top, 1)) - ONE) >>> SHIFT) + 1;
  const at = (piece) => {
    const place = mapped(floatOf(ONE + piece * 2 ** SHIFT) - 1) * turns;
    return ends ? Math.min(place, (TURN - 1) / TURN) : place;
  };
  const pieces = new Uint32Array(2 * count);
  let isFine = true;
  let start = at(0);
  for (let piece = 0; piece < count; piece += 1) {
    const end = at(piece + 1);
    const rise = ((end - start) * TURN) / 2 ** SHIFT;
    pieces[2 * piece] = wrapped((start + offset) * TURN);
    pieces[2 * piece + 1] = wrapped(ends ? Math.floor(rise) : Math.round(rise));
    isFine = isFine && pieces[2 * piece + 1] <= TURN / 1024 / 2 ** SHIFT;
    start = end;
  }
  return { low: Math.fround(low), top, pieces, isFine };
}

function toLinear(value) {
  return value <= 0.0031308 * 12.92 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

/** A palette laid out: linear light and bytes of each step, of the end, and of the inside. */
export function palette(colours, closes, scheme) {
  const comesAgain = scheme.period || scheme.cycles > 1;
  const linear = new Float32Array(4 * (STEPS + 2));
  const bytes = new Uint8Array(4 * (STEPS + 2));
  for (let step = 0; step <= STEPS + 1; step += 1) {
    // There and back in one turn where it comes again and does not close.
    const from = comesAgain && !closes ? STEPS - Math.abs(STEPS - 2 * step) : step;
    for (let i = 0; i < 3; i += 1) {
      const value = step > STEPS ? scheme.inside[i] / 255 : colours[3 * from + i];
      linear[4 * step + i] = toLinear(value);
      bytes[4 * step + i] = Math.round(value * 255);
    }
  }
  return { linear, bytes };
}

/** A bijection of 32 bits without pattern (Chris Wellons' lowbias32). */
function mixed(value) {
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return (value ^ (value >>> 16)) >>> 0;
}

/** How far a sample is displaced from its even place, in spacings. */
export function displacement(index) {
  return ((mixed(index) >>> 24) - 128) / 256;
}

// Most values from which ranks are made.
const MOST_VALUES = 1 << 19;

/** The values outside in order, thinned as the program thins them. */
export function ranksOf(values, width) {
  let most = 0xffffffff;
  let kept = [];
  const rows = values.length / width;
  for (let row = 0; row < rows; row += 1) {
    const seed = mixed(row ^ 0x9e3779b9);
    for (let column = 0; column < width; column += 1) {
      const value = values[row * width + column];
      if (value === 0 || !Number.isFinite(value)) continue;
      const hash = mixed((seed + column) | 0);
      if (hash <= most) kept.push(hash, value);
    }
    while (kept.length / 2 > MOST_VALUES) {
      most >>>= 1;
      const fewer = [];
      for (let i = 0; i < kept.length; i += 2) if (kept[i] <= most) fewer.push(kept[i], kept[i + 1]);
      kept = fewer;
    }
  }
  return Float32Array.from(kept.filter((_, i) => i % 2 === 1)).sort();
}

/** A light made ready: direction, height, and light on flat ground. */
export function relief(light) {
  const [angle, height] = light;
  const turn = (angle * Math.PI) / 180;
  return { right: Math.cos(turn), up: Math.sin(turn), flat: height / (1 + height), height };
}

// sRGB of linear light, by its 65535ths: at most a twentieth of a level away.
const levels = Uint8Array.from({ length: 65536 }, (_, index) => {
  const value = index / 65535;
  return Math.floor(255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055) + 0.5);
});

function encode(light) {
  return levels[light > 0 ? Math.min(65535, Math.floor(65535 * light + 0.5)) : 0];
}

function rise(before, here, after, to, from) {
  if (before && after) return (after - before) / (to + from);
  if (before) return (here - before) / to;
  return after ? (after - here) / from : 0;
}

/** Paints a tile without a graphics card: pixels as RGBA bytes, `side` samples along a side of each. */
export function paint(tile, tables, pixels) {
  const { width, height, side, values, smooth } = tile;
  const { map, colours, banded, light, factor } = tables;
  const isPlain = !light && side === 1;
  const isShort = isPlain && !banded && map.isFine;
  const bits = (value) => bitsOf(Math.min(Math.max(Math.fround(1 + Math.fround(Math.fround(value * factor) - map.low)), 1), map.top)) - ONE;
  const place = (value) => {
    const at = bits(banded && value < 8388608 ? Math.trunc(value) : value);
    const piece = at >>> SHIFT;
    return (map.pieces[2 * piece] + Math.imul(at & 8191, map.pieces[2 * piece + 1])) >>> 0;
  };
  if (isPlain) {
    const bytes = Uint8Array.from(colours.bytes, (byte, index) => (index % 4 === 3 ? 255 : byte));
    const steps = new Uint32Array(bytes.buffer);
    const seen = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4);
    for (let i = 0; i < seen.length; i += 1) {
      const value = values[i];
      if (value === 0) {
        seen[i] = steps[STEPS + 1];
        continue;
      }
      const piece = isShort ? bits(value) >>> SHIFT : 0;
      const middle = isShort ? (map.pieces[2 * piece] + Math.imul(4096, map.pieces[2 * piece + 1])) >>> 0 : place(value);
      seen[i] = steps[((middle >>> 19) + 1) >>> 1];
    }
    return;
  }
  const { linear } = colours;
  const columns = width / side;
  for (let y = 0; y < height / side; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      let [red, green, blue] = [0, 0, 0];
      for (let row = y * side; row < (y + 1) * side; row += 1) {
        for (let column = x * side; column < (x + 1) * side; column += 1) {
          const value = values[row * width + column];
          if (value === 0) {
            red += linear[4 * STEPS + 4];
            green += linear[4 * STEPS + 5];
            blue += linear[4 * STEPS + 6];
            continue;
          }
          const where = place(value);
          const from = 4 * (where >>> 20);
          const part = (where & 0xfffff) / 0x100000;
          const gain = light && smooth[row * width + column] !== 0 ? gainOf(light, smooth, width, height, column, row, side) : 1;
          red += gain * (linear[from] + part * (linear[from + 4] - linear[from]));
          green += gain * (linear[from + 1] + part * (linear[from + 5] - linear[from + 1]));
          blue += gain * (linear[from + 2] + part * (linear[from + 6] - linear[from + 2]));
        }
      }
      const out = 4 * (y * columns + x);
      const count = side * side;
      pixels[out] = encode(red / count);
      pixels[out + 1] = encode(green / count);
      pixels[out + 2] = encode(blue / count);
      pixels[out + 3] = 255;
    }
  }
}

function gainOf(light, smooth, width, height, column, row, side) {
  const at = row * width + column;
  const own = (index) => (side > 1 ? displacement(index) : 0);
  const [here, dx, dy] = [smooth[at], own(column), own(row)];
  const left = column > 0 ? smooth[at - 1] : 0;
  const right = column + 1 < width ? smooth[at + 1] : 0;
  const above = row > 0 ? smooth[at - width] : 0;
  const below = row + 1 < height ? smooth[at + width] : 0;
  const across = rise(left, here, right, column > 0 ? 1 + dx - own(column - 1) : 1, column + 1 < width ? 1 + own(column + 1) - dx : 1);
  const up = -rise(above, here, below, 1 + dy - own(row - 1), 1 + own(row + 1) - dy);
  const steepness = across * across + up * up;
  const finest = here / 4194304;
  const trust = steepness / (steepness + finest * finest) / (1 + steepness / 16);
  const cosine = steepness > 0 ? (-(across * light.right + up * light.up) / Math.sqrt(steepness)) * trust : 0;
  const lit = Math.max((cosine + light.height) / (1 + light.height), 0);
  if (lit <= light.flat) return 1 - (1 - lit / Math.max(light.flat, 1e-38)) * 0.85;
  return 1 + ((lit - light.flat) / (1 - light.flat)) * 0.9;
}
