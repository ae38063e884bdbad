// Figures of the last hour, drawn small.

const at = (id) => document.getElementById(id);
const [WIDTH, HEIGHT] = [180, 36];

function words(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

/** A line over an hour; it breaks where nothing was known. */
function line(points, most) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const top = Math.max(...points.filter((value) => value !== null), 1e-9);
  let isDown = false;
  const steps = points.map((value, index) => {
    if (value === null) {
      isDown = false;
      return "";
    }
    const x = WIDTH - ((points.length - 1 - index) / (most - 1)) * WIDTH;
    const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
    const step = `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = true;
    return step;
  });
  path.setAttribute("d", steps.join(""));
  svg.append(path);
  return svg;
}

async function look() {
  const response = await fetch("/api/figures");
  if (!response.ok) return;
  const { every_seconds: every, figures } = await response.json();
  const known = figures.filter(({ points }) => points.some((value) => value !== null));
  at("hour").hidden = !known.length;
  at("figures").replaceChildren(...known.map(({ name, title, points }) => {
    const item = document.createElement("li");
    item.dataset.figure = name;
    const now = document.createElement("strong");
    now.textContent = words(points[points.length - 1]);
    const what = document.createElement("span");
    what.textContent = title;
    item.append(now, what, line(points, 3600 / every));
    return item;
  }));
}

/** Shows figures from now on. */
export function figures() {
  look();
  setInterval(look, 10_000);
}
