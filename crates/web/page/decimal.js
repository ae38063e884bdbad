// Exact decimal numbers: `units` times 10^-`digits`, of any length. Only a magnification is a double, with an exponent of its own.

const POWERS = new Map();

/** 10^n as a BigInt. */
export function power(n) {
  let known = POWERS.get(n);
  if (known === undefined) {
    if (POWERS.size > 256) POWERS.clear();
    known = 10n ** BigInt(n);
    POWERS.set(n, known);
  }
  return known;
}

/** A number like `-0.75` or `1.5e-30` as units of 10^-digits; `null` where it is none. */
export function parse(text) {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/.exec(text.trim());
  if (!parts || !(parts[2] || parts[3])) return null;
  const fraction = parts[3] || "";
  let units = BigInt((parts[2] || "0") + fraction);
  if (parts[1] === "-") units = -units;
  let digits = fraction.length - Number(parts[4] || 0);
  if (digits < 0) {
    units *= power(-digits);
    digits = 0;
  }
  return { units, digits };
}

/** The same number in another unit; digits that are cut are rounded to the nearest. */
export function rescale({ units, digits }, wanted) {
  if (wanted >= digits) return { units: units * power(wanted - digits), digits: wanted };
  const divisor = power(digits - wanted);
  const half = divisor / 2n;
  const rounded = units >= 0n ? (units + half) / divisor : -((-units + half) / divisor);
  return { units: rounded, digits: wanted };
}

/** Its text, without an exponent and without zeros at the end. */
export function format({ units, digits }) {
  const negative = units < 0n;
  let text = (negative ? -units : units).toString().padStart(digits + 1, "0");
  if (digits > 0) {
    const fraction = text.slice(text.length - digits).replace(/0+$/, "");
    text = text.slice(0, text.length - digits) + (fraction ? "." + fraction : "");
  }
  return negative && text !== "0" ? "-" + text : text;
}

/** `number` plus a double times 10^exponent, in the number's own unit. */
export function addDouble(number, value, exponent) {
  if (!value) return number;
  const KEPT = 17;
  const shift = Math.floor(Math.log10(Math.abs(value)));
  const mantissa = BigInt(Math.round(value * 10 ** (KEPT - shift)));
  const places = number.digits + exponent + shift - KEPT;
  const units = places >= 0 ? mantissa * power(places) : mantissa / power(-places);
  return { units: number.units + units, digits: number.digits };
}

/** The double nearest to (a - b) * 10^exponent. */
export function difference(a, b, exponent) {
  const digits = Math.max(a.digits, b.digits);
  const units = rescale(a, digits).units - rescale(b, digits).units;
  if (units === 0n) return 0;
  const text = (units < 0n ? -units : units).toString();
  const head = text.slice(0, 17);
  const value = Number(head) * 10 ** Math.max(-330, Math.min(308, text.length - head.length - digits + exponent));
  return units < 0n ? -value : value;
}

/** A magnification: `mantissa` from 1 to 10, times 10^exponent. */
export class Zoom {
  constructor(mantissa, exponent) {
    const shift = Math.floor(Math.log10(mantissa));
    // Six digits say all that a view needs, and are read back as they are written.
    let own = Math.round((mantissa / 10 ** shift) * 1e6) / 1e6;
    this.exponent = exponent + shift;
    if (own >= 10) {
      own /= 10;
      this.exponent += 1;
    }
    this.mantissa = own;
  }

  static parse(text) {
    const number = parse(text.trim());
    if (!number || number.units <= 0n) return null;
    const all = number.units.toString();
    const mantissa = Number(all.slice(0, 1) + "." + (all.slice(1, 17) || "0"));
    return new Zoom(mantissa, all.length - 1 - number.digits);
  }

  times(factor) {
    return new Zoom(this.mantissa * factor, this.exponent);
  }

  /** This one over another, as a double: 0 or infinite where they are far apart. */
  over(other) {
    return (this.mantissa / other.mantissa) * 10 ** Math.max(-300, Math.min(300, this.exponent - other.exponent));
  }

  get log10() {
    return Math.log10(this.mantissa) + this.exponent;
  }

  toString() {
    if (this.exponent >= -3 && this.exponent < 6) return String(Number((this.mantissa * 10 ** this.exponent).toPrecision(10)));
    return `${this.mantissa}e${this.exponent}`;
  }
}
