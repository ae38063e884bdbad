// The farm: jobs and workers live, and what can be done with them. Names of jobs and workers are text, never markup.

const at = (id) => document.getElementById(id);
const chosen = { jobs: new Set(), workers: new Set() };
let shown = null;
let latest = { jobs: [], workers: [] };
const COLOURS = ["#4aa6d8", "#ffb52e", "#7fd08a", "#e0706a", "#b58be0", "#e0d46a", "#6ad0c8", "#d08ab8"];

function cell(content) {
  const one = document.createElement("td");
  if (content instanceof Node) one.append(content);
  else one.textContent = content;
  return one;
}

function check(kind, name, label) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = chosen[kind].has(name);
  box.setAttribute("aria-label", `Choose ${label}`);
  box.addEventListener("change", () => chosen[kind][box.checked ? "add" : "delete"](name));
  return box;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${(whole / 3600).toFixed(1)} h`;
}

function done(report) {
  const both = document.createElement("span");
  const bar = document.createElement("progress");
  bar.max = Math.max(1, report.strips);
  bar.value = report.collected;
  bar.setAttribute("aria-label", "Done");
  both.append(bar, ` ${report.collected}/${report.strips}`);
  return both;
}

/** Rows that stay the same elements, so that nobody loses their focus while figures change. */
function fill(body, list, keyOf, cellsOf) {
  const before = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const rows = list.map((one) => {
    const key = keyOf(one);
    let row = before.get(key);
    const cells = cellsOf(one);
    if (!row) {
      row = document.createElement("tr");
      row.dataset.key = key;
      row.append(...cells);
    } else {
      cells.forEach((fresh, index) => {
        const old = row.children[index];
        if (!old.contains(document.activeElement) && old.innerHTML !== fresh.innerHTML) old.replaceWith(fresh);
      });
    }
    return row;
  });
  const isSame = rows.length === body.children.length && rows.every((row, index) => body.children[index] === row);
  if (!isSame) body.replaceChildren(...rows);
}

function show(farm) {
  latest = farm;
  const away = Boolean(farm.error);
  document.body.dataset.state = away ? "away" : "live";
  at("state").textContent = away ? `The farm does not answer: ${farm.error}` : `${farm.jobs.length} jobs, ${farm.workers.length} workers`;
  if (away) return;
  const wanted = at("filter").value.toLowerCase();
  const jobs = farm.jobs.filter(({ job, state, report }) => `${job} ${state} ${report.title}`.toLowerCase().includes(wanted));
  fill(at("jobs"), jobs, ({ job }) => job, ({ job, state, priority, silent_secs: silent, report }) => {
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = report.title || job;
    open.addEventListener("click", () => details(job));
    const trouble = [report.retries && `${report.retries} again`, report.rejected && `${report.rejected} rejected`, report.dead.length && `${report.dead.length} dead`];
    return [
      cell(check("jobs", job, report.title || job)), cell(open), cell(silent > 10 ? `${state}, no submitter` : state), cell(done(report)),
      cell(`${report.strips_per_sec.toFixed(1)}/s`), cell(duration(report.secs_left)), cell(String(priority)), cell(trouble.filter(Boolean).join(", ") || "none"),
    ];
  });
  fill(at("workers"), farm.workers, ({ process }) => process, (worker) => {
    const devices = (worker.devices || []).map((device) => (typeof device === "string" ? device : device.name || device.device || JSON.stringify(device)));
    const state = worker.quarantine ? `in quarantine: ${worker.quarantine.reason}` : worker.draining ? "leaves" : "works";
    return [cell(check("workers", worker.name, worker.name)), cell(worker.name), cell(devices.join(", ")), cell(String(worker.strips ?? worker.delivered ?? "")), cell(state)];
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
at("filter").value = new URLSearchParams(location.hash.slice(1)).get("filter") || "";
at("filter").addEventListener("input", () => {
  history.replaceState(null, "", at("filter").value ? `#filter=${encodeURIComponent(at("filter").value)}` : location.pathname);
  show(latest);
});

const events = new EventSource("/api/farm/events");
events.addEventListener("message", (event) => show(JSON.parse(event.data)));
events.addEventListener("error", () => {
  document.body.dataset.state = "away";
  at("state").textContent = "The server does not answer";
});
