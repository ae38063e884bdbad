// Leave with a picture: a still, a video to here, or a video from here to the nucleus, which the server makes while nobody waits.

import { fetchMinibrot, fetchPlan, submitJob } from "./server.js";
import { duration, size } from "./words.js";

const PLAN_MS = 400;
const at = (id) => document.getElementById(id);

/** The request for a video whose colours, size and pace are as the dialog says, between two zooms of a place. */
function sequence(explorer, re, im, from, to, iterations) {
  const { rotate, stretch, "stretch-angle": angle } = explorer.extra;
  const { samples, ...request } = explorer.request();
  for (const key of ["zoom", "rotate", "stretch", "stretch-angle", "escape-radius", "skip-error-log2"]) delete request[key];
  const turn = { "view-rotate": rotate, stretch, "stretch-angle": angle };
  for (const key of Object.keys(turn)) if (turn[key] !== undefined) request[key] = turn[key];
  return {
    ...request, re, im, from, to, iterations,
    "shallow-iterations": Math.min(1000, iterations),
    size: at("leave-size").value,
    "seconds-per-octave": at("leave-pace").value,
  };
}

/** Lines of what it costs, or of what is wrong. */
function show(lines, isProblem) {
  at("leave-cost").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
  at("leave-go").disabled = Boolean(isProblem);
}

/** What the dialog says, as a job. */
async function job(explorer, state) {
  const outputs = [at("leave-name").value.trim()];
  const [re, im, zoom] = explorer.view.texts();
  const kind = at("leave-kind").value;
  if (kind === "still") {
    const request = { ...explorer.request(), size: at("leave-size").value };
    const samples = Number(at("leave-samples").value);
    if (samples > 1) request.samples = samples;
    return { outputs, picture: request };
  }
  if (kind === "here") return { outputs, sequence: sequence(explorer, re, im, "1", zoom, explorer.iterations) };
  const key = [re, im, zoom].join(" ");
  if (state.key !== key) {
    show(["Looking for the nucleus …"]);
    Object.assign(state, { found: await fetchMinibrot(re, im, zoom), key });
  }
  const { request } = state.found;
  const iterations = Number(request.iterations) || explorer.iterations;
  return { outputs, sequence: sequence(explorer, request.re, request.im, zoom, request.zoom, iterations) };
}

function cost(plan) {
  const frames = plan.frames === null ? "" : `, ${plan.frames.toLocaleString("en")} frames of ${plan.key_frames} key frames`;
  return [
    `Size: ${plan.width} × ${plan.height} pixels${frames}`,
    `Work: ${plan.iterations.toExponential(1)} iterations`,
    `Time: about ${duration(plan.seconds)} ${plan.place}`,
    `Memory: about ${size(plan.memory_bytes)}`,
    `Disk: up to ${size(plan.file_bytes)} for the file, and ${size(plan.work_bytes)} until it is done`,
    ...plan.warnings,
  ];
}

/** Wires the dialog; what opens it. */
export function leaving(explorer, say) {
  const state = {};
  let latest = 0;
  let timer = 0;
  let planning = null;

  function told(lines, isProblem) {
    show(lines, isProblem);
    at("leave").dataset.state = isProblem ? "problem" : "planned";
  }

  async function plan() {
    latest += 1;
    const own = latest;
    if (planning) planning.abort();
    planning = new AbortController();
    at("leave").dataset.state = "planning";
    try {
      const planned = await fetchPlan(await job(explorer, state), planning.signal);
      if (own === latest) told(cost(planned));
    } catch (error) {
      if (own === latest && error.name !== "AbortError") told([error.message], true);
    }
  }

  function refresh() {
    const kind = at("leave-kind").value;
    at("leave-samples").closest("label").hidden = kind !== "still";
    at("leave-pace").closest("label").hidden = kind === "still";
    clearTimeout(timer);
    timer = setTimeout(plan, PLAN_MS);
  }

  function named() {
    const isStill = at("leave-kind").value === "still";
    const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
    at("leave-name").value = `${isStill ? "still" : "zoom"}-${stamp}.${isStill ? "png" : "mp4"}`;
    at("leave-size").value = isStill ? `${explorer.view.width}x${explorer.view.height}` : "1920x1080";
    refresh();
  }

  at("leave-kind").addEventListener("change", named);
  for (const id of ["leave-size", "leave-samples", "leave-pace", "leave-name"]) at(id).addEventListener("input", refresh);
  at("leave-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (event.submitter && event.submitter.value === "no") {
      at("leave").close();
      return;
    }
    at("leave-go").disabled = true;
    try {
      const left = await submitJob(await job(explorer, state));
      at("leave").close();
      say(`${left.title} will be made: see Jobs`);
      document.body.dataset.left = left.job;
    } catch (error) {
      told([error.message], true);
    }
  });
  return () => {
    // Nuclei are found of z² + c alone.
    const { formula, julia } = explorer.extra;
    const nucleus = at("leave-kind").querySelector("[value=nucleus]");
    nucleus.disabled = Boolean(formula || julia);
    if (nucleus.disabled && nucleus.selected) at("leave-kind").value = "here";
    at("leave").showModal();
    named();
  };
}
