// Jobs that were left with the server: those that wait, are made, and were made.

import { bar, cell, check, COLOURS, fill, remember, said, sortable, sorted } from "./rows.js";
import { duration, size } from "./words.js";

const at = (id) => document.getElementById(id);
const chosen = new Set();
const SEARCH_MS = 200;
/** Pixels beside the picture for who made which rows. */
const MARGIN = 16;
const NOBODY = 255;
let latest = { jobs: [], counts: {}, running: 0, more: false };
/** Jobs of the history beyond those that are told. */
let older = [];
let shown = null;
let growing = false;

const KEYS = {
  title: ({ title }) => title,
  state: ({ state }) => state,
  done: (job) => share(job),
  size: ({ width, height }) => width * height,
  worked: ({ seconds }) => seconds,
  when: ({ submitted }) => submitted,
};

function share(job) {
  if (job.progress) return job.progress.share;
  return job.state === "done" ? 1 : 0;
}

/** Whether somebody looks for some of the jobs: then the server is asked, and nothing is told by itself. */
function filtered() {
  return Boolean(said().get("find") || said().get("kept"));
}

function address(before) {
  const parts = { find: said().get("find"), state: said().get("kept"), before };
  const given = Object.entries(parts).filter(([, text]) => text);
  return `/api/jobs?${given.map(([name, text]) => `${name}=${encodeURIComponent(text)}`).join("&")}`;
}

function files(job) {
  const all = document.createElement("span");
  const thumbnail = document.createElement("img");
  thumbnail.alt = "";
  thumbnail.loading = "lazy";
  if (job.state === "done" && job.kind === "picture") thumbnail.src = `/api/jobs/thumbnail?id=${job.job}`;
  thumbnail.addEventListener("error", () => thumbnail.remove());
  if (thumbnail.src) all.append(thumbnail);
  if (!job.outputs.length) {
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = job.request.outputs.join(", ");
    open.addEventListener("click", () => details(job.job));
    all.append(open);
  }
  for (const output of job.outputs) {
    const link = document.createElement("a");
    link.href = `/api/jobs/file?id=${job.job}&name=${encodeURIComponent(output.name)}`;
    link.download = output.name;
    link.textContent = output.name;
    all.append(link, ` ${size(output.bytes)} `);
  }
  return all;
}

function progress(job) {
  const { progress: now } = job;
  if (!now) return job.state === "done" ? "all" : "–";
  const words = now.key_frames ? `${now.key_frames_done}/${now.key_frames} key frames` : `${now.strips_done}/${now.strips}`;
  return bar(now.share, 1, words);
}

function show() {
  const jobs = sorted([...latest.jobs, ...older], "queue", KEYS);
  const { counts } = latest;
  at("queue-state").textContent = `${latest.running} under way, ${(counts.queued || 0) - latest.running} waiting, ${counts.done || 0} done, ${counts.failed || 0} failed`;
  fill(at("queue"), jobs, ({ job }) => job, (job) => [
    cell(check(chosen, job.job, job.title)), cell(files(job)), cell(job.state), cell(progress(job)),
    cell(duration(job.progress && job.progress.seconds_left)), cell(`${job.width} × ${job.height}`), cell(duration(job.seconds)),
    cell(new Date(job.submitted).toLocaleString()), cell(job.error || (job.progress && job.progress.activity) || ""),
  ]);
  at("queue-more").hidden = !latest.more;
  const there = new Set(jobs.map(({ job }) => job));
  for (const name of chosen) if (!there.has(name)) chosen.delete(name);
  const one = jobs.find(({ job }) => job === shown);
  at("made").hidden = !one;
  if (one) describe(one);
}

function details(job) {
  shown = shown === job ? null : job;
  at("grown").hidden = true;
  show();
}

/** Draws what has come of a job's picture, who made which rows, and what is under way on the farm. */
async function grow(job) {
  if (growing) return;
  growing = true;
  try {
    const [picture, farm] = await Promise.all([
      fetch(`/api/jobs/picture?id=${job.job}`),
      job.farm_job ? fetch(`/api/farm/job?id=${job.farm_job}`) : null,
    ]);
    if (!picture.ok || shown !== job.job) return;
    const [width, height] = picture.headers.get("picture-size").split("x").map(Number);
    const bytes = new Uint8ClampedArray(await picture.arrayBuffer());
    const makers = bytes.subarray(4 * width * height);
    const canvas = at("grown");
    [canvas.width, canvas.height] = [width + MARGIN, height];
    canvas.hidden = false;
    const context = canvas.getContext("2d");
    context.putImageData(new ImageData(bytes.slice(0, 4 * width * height), width, height), MARGIN, 0);
    for (let row = 0; row < height; row += 1) {
      if (makers[row] === NOBODY) continue;
      context.fillStyle = COLOURS[makers[row] % COLOURS.length];
      context.fillRect(0, row, MARGIN - 4, 1);
    }
    const { strip_rows: stripRows, rows, makers: names } = job.progress;
    const underWay = farm && farm.ok ? (await farm.json()).under_way : {};
    for (const [worker, strips] of Object.entries(underWay)) {
      const number = names.indexOf(worker);
      context.fillStyle = number < 0 ? "#f2f4f8" : COLOURS[number % COLOURS.length];
      for (const strip of strips) {
        const [from, to] = [strip, strip + 1].map((at) => (Math.min(at * stripRows, rows) / rows) * height);
        context.globalAlpha = 0.35;
        context.fillRect(MARGIN, from, width, Math.max(1, to - from));
        context.globalAlpha = 1;
        context.fillRect(0, from, MARGIN - 4, Math.max(1, to - from));
      }
    }
    canvas.dataset.under = String(Object.keys(underWay).length);
    canvas.dataset.rows = String(makers.filter((maker) => maker !== NOBODY).length);
    at("makers").replaceChildren(...names.map((name, number) => {
      const item = document.createElement("li");
      item.textContent = name;
      item.dataset.colour = number % COLOURS.length;
      return item;
    }));
  } catch {
    // The next look will show it.
  } finally {
    growing = false;
  }
}

/** One job in words. */
function describe(job) {
  at("made-title").textContent = `${job.title}: ${job.state}`;
  const now = job.progress;
  if (now && now.rows) grow(job);
  // What is done is in its files.
  if (!now) at("grown").hidden = true;
  at("makers").hidden = at("grown").hidden;
  const lines = now
    ? [`${now.strips_done} of ${now.strips} strips, ${now.strips_resumed} of them from an earlier try`, `${now.workers} workers`, now.activity, ...now.warnings]
    : [job.error, ...Object.entries(job.workers).map(([worker, strips]) => `${worker}: ${strips} strips`)];
  at("made-facts").replaceChildren(...lines.filter(Boolean).map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
}

async function look() {
  const response = await fetch(address());
  const answer = await response.json();
  if (!response.ok) {
    at("queue-state").textContent = answer.error;
    return;
  }
  older = [];
  latest = answer;
  show();
}

async function more() {
  const all = [...latest.jobs, ...older];
  const before = all.map(({ job }) => job).sort()[0];
  const response = await fetch(address(before));
  if (!response.ok) return;
  const answer = await response.json();
  older.push(...answer.jobs);
  latest.more = answer.more;
  show();
}

async function order(deed) {
  const response = await fetch("/api/jobs/orders", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ deed, names: [...chosen] }) });
  const answer = await response.json();
  const errors = response.ok ? answer.filter(({ error }) => error).map(({ name, error }) => `${name}: ${error}`) : [answer.error];
  at("state").textContent = errors.length ? errors.join("; ") : `${deed}: done`;
  if (filtered()) look();
}

/** Shows the server's jobs, where it takes any; `sure` asks before something is ended. */
export function queue(sure) {
  at("left").hidden = false;
  at("find").value = said().get("find") || "";
  at("kept").value = said().get("kept") || "";
  sortable(at("queue").closest("table"), "queue", show);
  let searching = 0;
  for (const id of ["find", "kept"]) {
    at(id).addEventListener("input", () => {
      remember(id, at(id).value);
      clearTimeout(searching);
      searching = setTimeout(look, SEARCH_MS);
    });
  }
  at("queue-more").addEventListener("click", more);
  for (const button of document.querySelectorAll("[data-job-deed]")) {
    button.addEventListener("click", async () => {
      const deed = button.dataset.jobDeed;
      if (!chosen.size) at("state").textContent = "Choose jobs first";
      else if (deed === "retry" || (await sure(`${deed} ${chosen.size} of the jobs`))) await order(deed);
    });
  }
  const events = new EventSource("/api/jobs/events");
  events.addEventListener("message", (event) => {
    if (filtered()) return;
    const told = JSON.parse(event.data);
    const last = told.jobs.length ? told.jobs[told.jobs.length - 1].job : "";
    // Those that were asked for beyond it stay.
    older = older.filter(({ job }) => job < last);
    latest = { ...told, more: told.more && (older.length ? latest.more : true) };
    show();
  });
  events.addEventListener("error", () => {
    at("queue-state").textContent = "The server does not answer";
  });
  if (filtered()) look();
}
