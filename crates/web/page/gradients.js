// Palettes as files of other programs. Their colours are taken as they are laid out, so that mixtures and curves are kept, too.

const MAP_COLOURS = 256;
/** Places at least of a file that knows straight lines alone; beside those of the stops. */
const PIECES = 64;
const UGR_TURN = 400;

/** The text of a file: `kind` is map, ggr, ugr or css; `kept` are colours that are laid out. */
export function gradientFile(kind, name, { colours }, { stops }, text) {
  const steps = colours.length / 3 - 1;
  const at = (place) => [0, 1, 2].map((i) => colours[3 * Math.round(place * steps) + i]);
  const bytes = (place) => at(place).map((part) => Math.round(part * 255));
  const plain = name.replace(/[^\w .-]/g, "_");
  const own = stops.map(({ place }) => place / 100);
  const even = Array.from({ length: PIECES + 1 }, (_, index) => index / PIECES);
  const places = [...new Set([...own, ...even])].sort((a, b) => a - b);
  if (kind === "map") {
    return Array.from({ length: MAP_COLOURS }, (_, index) => bytes(index / MAP_COLOURS).join(" ")).join("\n") + "\n";
  }
  if (kind === "ggr") {
    const pieces = places.slice(1).map((end, index) => {
      const start = places[index];
      const number = (value) => value.toFixed(6);
      const colour = (place) => [...at(place), 1].map(number).join(" ");
      return `${[start, (start + end) / 2, end].map(number).join(" ")} ${colour(start)} ${colour(end)} 0 0`;
    });
    return `GIMP Gradient\nName: ${plain}\n${pieces.length}\n${pieces.join("\n")}\n`;
  }
  if (kind === "ugr") {
    const indices = [...new Set(places.map((place) => Math.min(UGR_TURN - 1, Math.round(place * UGR_TURN))))];
    const lines = indices.map((index) => {
      const [red, green, blue] = bytes(index === UGR_TURN - 1 ? 1 : index / UGR_TURN);
      return `  index=${index} color=${red + 256 * green + 65536 * blue}`;
    });
    return `${plain.replace(/ /g, "_")} {\ngradient:\n  title="${plain}" smooth=no\n${lines.join("\n")}\n}\n`;
  }
  return text + "\n";
}
