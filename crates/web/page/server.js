// Questions to the server.

const viewer = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** An answer that says why not. */
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function answered(response) {
  if (response.ok) return response;
  let text = response.statusText;
  try {
    text = (await response.json()).error;
  } catch {
    // Whatever else it is: the status says enough.
  }
  throw new Refused(response.status, text);
}

async function ask(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return answered(await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal }));
}

/** The values of a view: `{width, height, side, values, smooth, range, ...}`; `of` names another picture of the page. */
export async function fetchTile({ request, scale, near, generation, signal, of }) {
  const body = { viewer: of ? `${viewer}-${of}` : viewer, generation, scale, near, request };
  const response = await ask("/api/tile", body, signal);
  const said = (name) => response.headers.get(name);
  const [width, height] = said("tile-size").split("x").map(Number);
  const floats = new Float32Array(await response.arrayBuffer());
  const planes = {};
  said("tile-measures").split(",").forEach((name, index) => {
    planes[name] = floats.subarray(index * width * height, (index + 1) * width * height);
  });
  const values = planes[request.colour === "distance" ? "distance" : "smooth"];
  return {
    width,
    height,
    side: Math.round(Math.sqrt(request.samples || 1)),
    values,
    smooth: planes.smooth || null,
    range: said("tile-range").split(" ").map(Number),
    reference: said("tile-reference"),
    arithmetic: said("tile-arithmetic"),
    maker: said("tile-maker"),
    period: said("tile-period"),
    seconds: Number(said("tile-seconds")),
  };
}

/** What the server has done, and whether it has a farm. */
export async function fetchStatus() {
  return (await answered(await fetch("/api/status"))).json();
}

/** The names of all palettes. */
export async function fetchPalettes() {
  return (await answered(await fetch("/api/palettes"))).json();
}

/** The formulas that have a name: `{name, operations, bounds}`. */
export async function fetchFormulas() {
  return (await answered(await fetch("/api/formulas"))).json();
}

/** The colours of a palette: `{colours, closes}`. */
export async function fetchPalette(palette) {
  const response = await ask("/api/palette", { palette });
  return { colours: new Float32Array(await response.arrayBuffer()), closes: response.headers.get("palette-closes") === "true" };
}

/** The minibrot in or near a view. */
export async function fetchMinibrot(re, im, zoom) {
  return (await ask("/api/minibrot", { re, im, zoom })).json();
}

/** A view as a file. */
export async function fetchFile(format, request) {
  return (await ask("/api/picture", { format, request })).blob();
}

/** What a file says. */
export async function readFile(kind, file) {
  return (await answered(await fetch(`/api/place?kind=${kind}`, { method: "POST", body: file }))).json();
}

/** What a job would cost. */
export async function fetchPlan(job, signal) {
  return (await ask("/api/jobs/plan", job, signal)).json();
}

/** Leaves a job with the server. */
export async function submitJob(job) {
  return (await ask("/api/jobs", job)).json();
}
