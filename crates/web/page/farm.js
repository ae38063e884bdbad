// The farm: jobs and workers live, and what can be done with them. Names of jobs and workers are text, never markup.

import { figures } from "./figures.js";
import { queue } from "./queue.js";
import { bar, cell, check, COLOURS, fill, remember, said, sortable, sorted } from "./rows.js";
import { fetchStatus } from "./server.js";
import { duration } from "./words.js";

const at = (id) => document.getElementById(id);
const chosen = { jobs: new Set(), workers: new Set() };
let shown = null;
let latest = { jobs: [], workers: [] };

const JOB_KEYS = {
  picture: ({ report }) => report.title,
  state: ({ state }) => state,
  done: ({ report }) => report.collected / Math.max(1, report.strips),
  rate: ({ report }) => report.strips_per_sec,
  left: ({ report }) => report.secs_left ?? Infinity,
  priority: ({ priority }) => priority,
};
const WORKER_KEYS = {
  worker: ({ name }) => name,
  strips: (worker) => worker.strips ?? worker.delivered ?? 0,
};

function show(farm) {
  latest = farm;
  const away = Boolean(farm.error);
  document.body.dataset.state = away ? "away" : "live";
  at("state").textContent = away ? `The farm does not answer: ${farm.error}` : `${farm.jobs.length} jobs, ${farm.workers.length} workers`;
  if (away) return;
  const wanted = at("filter").value.toLowerCase();
  const jobs = farm.jobs.filter(({ job, state, report }) => `${job} ${state} ${report.title}`.toLowerCase().includes(wanted));
  fill(at("jobs"), sorted(jobs, "jobs", JOB_KEYS), ({ job }) => job, ({ job, state, priority, silent_secs: silent, report }) => {
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = report.title || job;
    open.addEventListener("click", () => details(job));
    const trouble = [report.retries && `${report.retries} again`, report.rejected && `${report.rejected} rejected`, report.dead.length && `${report.dead.length} dead`];
    return [
      cell(check(chosen.jobs, job, report.title || job)), cell(open), cell(silent > 10 ? `${state}, no submitter` : state), cell(bar(report.collected, report.strips, `${report.collected}/${report.strips}`)),
      cell(`${report.strips_per_sec.toFixed(1)}/s`), cell(duration(report.secs_left)), cell(String(priority)), cell(trouble.filter(Boolean).join(", ") || "none"),
    ];
  });
  fill(at("workers"), sorted(farm.workers, "workers", WORKER_KEYS), ({ process }) => process, (worker) => {
    const devices = (worker.devices || []).map((device) => (typeof device === "string" ? device : device.name || device.device || JSON.stringify(device)));
    const state = worker.quarantine ? `in quarantine: ${worker.quarantine.reason}` : worker.draining ? "leaves" : "works";
    return [cell(check(chosen.workers, worker.name, worker.name)), cell(worker.name), cell(devices.join(", ")), cell(String(worker.strips ?? worker.delivered ?? "")), cell(state)];
  });
  for (const kind of ["jobs", "workers"]) {
    const there = new Set(farm[kind].map((one) => one.job || one.name));
    for (const name of chosen[kind]) if (!there.has(name)) chosen[kind].delete(name);
  }
  if (shown && !farm.jobs.some(({ job }) => job === shown)) {
    shown = null;
    at("details").hidden = true;
  } else if (shown) {
    details(shown);
  }
}

/** Who made what of a job, and what is under way. */
async function details(job) {
  shown = job;
  const response = await fetch(`/api/farm/job?id=${encodeURIComponent(job)}`);
  if (!response.ok || shown !== job) return;
  const held = await response.json();
  const { report } = held;
  at("details").hidden = false;
  at("details-title").textContent = `${report.title}: ${report.collected} of ${report.strips} strips, ${held.waiting} waiting`;
  const workers = [...new Set([...Object.keys(report.by_worker), ...Object.keys(held.under_way)])].sort();
  const colour = (worker) => COLOURS[workers.indexOf(worker) % COLOURS.length];
  const context = at("strips").getContext("2d");
  const { width, height } = at("strips");
  context.fillStyle = "#1e2536";
  context.fillRect(0, 0, width, height);
  let x = 0;
  for (const worker of workers) {
    const length = ((report.by_worker[worker] || 0) / report.strips) * width;
    context.fillStyle = colour(worker);
    context.fillRect(x, 0, length, height / 2);
    x += length;
    for (const strip of held.under_way[worker] || []) {
      context.fillRect((strip / report.strips) * width, height / 2 + 2, Math.max(2, width / report.strips), height / 2 - 2);
    }
  }
  at("crew").replaceChildren(...workers.map((worker) => {
    const item = document.createElement("li");
    const under = (held.under_way[worker] || []).length;
    item.textContent = `${worker}: ${report.by_worker[worker] || 0} strips, ${under} under way`;
    return item;
  }), ...report.dead.map((dead) => {
    const item = document.createElement("li");
    item.textContent = `strip ${dead.strip} was given up: ${dead.reasons.join("; ")}`;
    return item;
  }));
}

async function order(deed, names) {
  const body = { deed, names };
  if (deed === "prioritise") body.priority = Number(at("priority").value) || 1;
  const response = await fetch("/api/farm/orders", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json();
  const errors = response.ok ? answer.filter(({ error }) => error).map(({ name, error }) => `${name}: ${error}`) : [answer.error];
  at("state").textContent = errors.length ? errors.join("; ") : `${deed}: done`;
}

function sure(what) {
  at("sure-what").textContent = what;
  at("sure").returnValue = "no";
  at("sure").showModal();
  return new Promise((resolve) => at("sure").addEventListener("close", () => resolve(at("sure").returnValue === "yes"), { once: true }));
}

for (const button of document.querySelectorAll("[data-deed]")) {
  button.addEventListener("click", async () => {
    const { deed } = button.dataset;
    const kind = deed === "drain" || deed === "forgive" ? "workers" : "jobs";
    const names = [...chosen[kind]];
    if (!names.length) {
      at("state").textContent = `Choose ${kind} first`;
      return;
    }
    if ((deed === "cancel" || deed === "drain") && !(await sure(`${deed} ${names.length} of the ${kind}`))) return;
    await order(deed, names);
  });
}
at("filter").value = said().get("filter") || "";
at("filter").addEventListener("input", () => {
  remember("filter", at("filter").value);
  show(latest);
});
sortable(at("jobs").closest("table"), "jobs", () => show(latest));
sortable(at("workers").closest("table"), "workers", () => show(latest));

function watch() {
  at("farm").hidden = false;
  const events = new EventSource("/api/farm/events");
  events.addEventListener("message", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    document.body.dataset.state = "away";
    at("state").textContent = "The server does not answer";
  });
}

fetchStatus()
  .then(({ farm, jobs }) => {
    if (jobs) queue(sure);
    figures();
    if (farm) watch();
    else document.body.dataset.state = "live";
    if (!farm) at("state").textContent = jobs ? "" : "This server has no farm, and takes no jobs";
  })
  .catch((error) => {
    at("state").textContent = error.message;
  });
