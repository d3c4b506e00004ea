// The operator's terminal. The server's state is shown by patching texts in place: no
// node that a finger may be on is ever replaced, and nothing moves while one is down.

import { hearOf } from "/static/facts.js";
import { Outbox } from "/static/outbox.js";
import { LOOK_OF_JOB, LOOK_OF_MACHINE, LOOK_OF_LINK } from "/static/looks.js";

const API = "/api/v1";
const POLL_MS = 15000;
const CALM_MS = 150;

const byId = (id) => document.getElementById(id);
const terminal = byId("terminal").dataset;
const person = byId("person");
const jobs = new Map();
const rows = new Map();
let clockOffset = 0;
let isFingerDown = false;
let isStale = false;
let latest = null;

// ---- showing ----

function patch(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function show(root, values) {
  for (const [name, text] of Object.entries(values)) patch(root.querySelector(`[data-show=${name}]`), text);
}

function chip(node, { look, icon, word }) {
  if (node.className !== `chip ${look}`) node.className = `chip ${look}`;
  patch(node.firstElementChild, icon);
  patch(node.lastElementChild, word);
}

function reveal(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

function copyOf(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

// Bring the children of a parent in line with the wanted ones, touching no other.
function arrange(parent, nodes, wanted, make) {
  for (const [id, node] of nodes) {
    if (!wanted.includes(id)) { node.remove(); nodes.delete(id); }
  }
  wanted.forEach((id, index) => {
    if (!nodes.has(id)) nodes.set(id, make(id));
    const node = nodes.get(id);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

function newNode(template) {
  return (id) => {
    const node = copyOf(template);
    node.dataset.jobOrder = id;
    return node;
  };
}

function render() {
  if (latest === null || isFingerDown) return;
  const { unit, queue } = latest;
  chip(byId("machine"), LOOK_OF_MACHINE[unit.equipment.shown] ?? LOOK_OF_MACHINE.unknown);
  arrange(byId("now"), jobs, unit.job_orders.map((one) => one.id), newNode("job"));
  reveal(byId("nothing"), unit.job_orders.length === 0);
  for (const one of unit.job_orders) renderJob(jobs.get(one.id), one);
  const waiting = [...queue.set_down, ...queue.waiting];
  arrange(byId("queue"), rows, waiting.map((one) => one.id), newNode("row"));
  reveal(byId("nothing-waits"), waiting.length === 0);
  for (const one of waiting) renderRow(rows.get(one.id), one);
  const unseen = queue.total - queue.waiting.length;
  reveal(byId("more"), unseen > 0);
  patch(byId("more"), `and ${unseen} more`);
  renderClocks();
}

function renderJob(node, job) {
  const legal = new Map(job.triggers.map((one) => [one.trigger, one]));
  chip(node.querySelector("[data-chip]"), LOOK_OF_JOB[job.state]);
  show(node, {
    title: `${job.work_request} ${job.step} ${job.step_name}, ${job.material}`,
    reason: job.state.startsWith("interrupted") ? job.reason : "",
    good: job.good, scrap: job.scrap, todo: job.to_do,
    here: job.here === null ? "0" : job.here.queued,
    why: job.blocked.join("; "),
  });
  const primary = primaryOf(job);
  for (const button of node.querySelectorAll(".actions button")) {
    const name = button.dataset.do ?? button.dataset.open;
    const trigger = legal.get(NEEDED_FOR[name] ?? name);
    const hasWayBack = name !== "rework" || job.rework_loops.length > 0;
    reveal(button, trigger !== undefined && hasWayBack);
    button.classList.toggle("primary", name === primary);
    button.classList.toggle("unmet", trigger !== undefined && !trigger.is_allowed);
    button.title = trigger === undefined ? "" : trigger.unmet.map((one) => one.why).join("; ");
  }
  for (const panel of node.querySelectorAll("[data-panel]")) {
    const name = panel.dataset.panel;
    if (!legal.has(NEEDED_FOR[name] ?? name)) reveal(panel, false);
  }
  offerWaysBack(node.querySelector("[name=loop]"), job.rework_loops);
  node.run = job.runs.at(-1) ?? null;
}

// What is asked of a job order's state for what is no trigger by itself.
const NEEDED_FOR = { plus_one: "report", rework: "report", bookings: "report" };

function offerWaysBack(select, loops) {
  const known = [...select.options].map((one) => one.value);
  if (known.join() === loops.map((one) => one.id).join()) return;
  select.replaceChildren(...loops.map((one) => new Option(`step ${one.target}`, one.id)));
}

async function showBookings(node) {
  const list = node.querySelector(".bookings");
  const booked = await readJson(`${API}/job-orders/${node.dataset.jobOrder}/bookings`);
  const open = booked.items.filter((one) => one.kind === "report" && one.reversed_by === null);
  list.replaceChildren(...open.map((one) => {
    const item = copyOf("booking");
    const amounts = ["good", "scrap", "suspect", "lost", "tested"].filter((name) => one[name] !== "0");
    const at = new Date(one.at).toLocaleTimeString([], { timeStyle: "short" });
    show(item, { told: `${at} ${one.person || "machine"}: ${amounts.map((name) => `${one[name]} ${name}`).join(", ") || "time"}` });
    item.dataset.booking = one.seq;
    return item;
  }));
}

function primaryOf(job) {
  if (job.state === "allowed_to_start.loaded" || job.state === "running.setup") return "begin";
  if (job.state.startsWith("interrupted")) return "resume";
  return Number(job.to_do) > 0 ? "plus_one" : "complete";
}

function renderRow(node, job) {
  chip(node.querySelector("[data-chip]"), LOOK_OF_JOB[job.state]);
  const isSetDown = job.state.startsWith("interrupted");
  show(node, {
    title: `${job.work_request} ${job.step} ${job.step_name}, ${job.material}`,
    todo: `${job.to_do} ${job.unit_name}${job.unit === "C62" && job.to_do !== "1" ? "s" : ""}`,
    due: `due ${new Date(job.due_at).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}`,
    why: job.blocked.length ? `Cannot start: ${job.blocked.join("; ")}` : isSetDown ? job.reason : "",
  });
  reveal(node.querySelector("[data-do=load]"), !isSetDown);
  reveal(node.querySelector("[data-do=resume_here]"), isSetDown);
}

function renderClocks() {
  for (const node of jobs.values()) {
    const run = node.run;
    let seconds = run === null ? 0 : Number(run.setup_s) + Number(run.processing_s);
    if (run !== null && run.clock !== "stopped" && run.since !== null) {
      seconds += Math.max(0, (serverNow() - Date.parse(run.since)) / 1000);
    }
    const whole = Math.floor(seconds);
    const two = (value) => String(value).padStart(2, "0");
    show(node, { time: `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` });
  }
}

function serverNow() { return Date.now() + clockOffset; }

// ---- reading ----

let isReading = false;
let isReadAgain = false;

async function read() {
  if (isReading) { isReadAgain = true; return; }
  isReading = true;
  try {
    const [unit, queue] = await Promise.all([
      readJson(`${API}/work-units/${terminal.workUnit}`),
      readJson(`${API}/work-centers/${terminal.workCenter}/queue`),
    ]);
    clockOffset = Date.parse(unit.now) - Date.now();
    latest = { unit, queue };
    isStale = false;
  } catch {
    isStale = true;
  }
  isReading = false;
  renderConnection();
  render();
  if (isReadAgain) { isReadAgain = false; setTimeout(read, CALM_MS); }
}

async function readJson(path) {
  const response = await fetch(path, { cache: "no-store" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

let linkState = "connecting";

function renderConnection() {
  chip(byId("connection"), LOOK_OF_LINK[isStale ? "lost" : linkState]);
}

function listen() {
  const heard = ({ state, changed }) => {
    if (state !== undefined) {
      // What was missed while the stream was away is read again.
      if (state === "connected") read();
      linkState = state;
      renderConnection();
    }
    if (changed) read();
  };
  if (typeof SharedWorker !== "function") {
    hearOf(terminal.workCenter, heard);
    return;
  }
  const worker = new SharedWorker("/static/stream.js", { type: "module", name: terminal.workCenter });
  worker.port.onmessage = ({ data }) => heard(data);
  addEventListener("pagehide", () => worker.port.postMessage("bye"));
}

// ---- doing ----

const outbox = new Outbox(terminal.workUnit, {
  onAnswer: (entry, answer) => {
    if (!answer.isDone) tellProblem(entry.label, answer);
    read();
  },
  onChange: (length, isLate) => {
    reveal(byId("waiting"), length > 0 && isLate);
    patch(byId("waiting"), `${length} waiting to send`);
  },
});

function tellProblem(label, { detail, hint, unmet }) {
  const node = copyOf("message");
  show(node, { title: `${label}: not done`, detail: [detail, hint].filter(Boolean).join(" ") });
  for (const told of unmet ?? []) {
    const why = told.replace(/^\w+: /, "");
    if (detail.includes(why)) continue;
    const item = document.createElement("li");
    item.textContent = why;
    node.querySelector("ul").append(item);
  }
  byId("messages").append(node);
}

function press(label, path, body = {}) {
  const name = person.value.trim();
  if (!name) {
    tellProblem(label, { detail: "Who are you? Type your name first." });
    person.focus();
    return;
  }
  outbox.add({
    label, path, person: name,
    body: { ...body, occurred_at: new Date(serverNow()).toISOString() },
  });
}

function number(field) { return field.value.trim().replace(",", "."); }

// The body of each press, by the name of its button; null if the form has nothing to say.
const BODIES = {
  plus_one: () => ({ good: "1" }),
  load: () => ({ work_unit: terminal.workUnit }),
  resume_here: () => ({ work_unit: terminal.workUnit }),
  pause: (button) => ({ reason: button.dataset.reason }),
  stop: (button) => ({ remainder: button.form.remainder.value, reason: button.form.reason.value }),
  rework: ({ form }) => {
    const quantity = number(form.quantity);
    return quantity ? { quantity, loop: form.loop.value, reason: form.reason.value } : null;
  },
  report: ({ form }) => {
    const good = number(form.good);
    const scrap = number(form.scrap);
    if (!good && !scrap) return null;
    return {
      good: good || "0",
      scrap: scrap ? [{ quantity: scrap, reason: form.reason.value }] : [],
    };
  },
};
const TRIGGER_OF = { plus_one: "report", resume_here: "resume" };

function onPress(button) {
  const node = button.closest("[data-job-order]");
  const name = button.dataset.do;
  const body = (BODIES[name] ?? (() => ({})))(button);
  if (body === null) return;
  press(button.textContent.trim(), `${API}/job-orders/${node.dataset.jobOrder}/${TRIGGER_OF[name] ?? name}`, body);
  if (button.form) button.form.reset();
  for (const panel of node.querySelectorAll("[data-panel]")) reveal(panel, false);
}

function takeBack(button) {
  const { form } = button;
  const { booking } = button.closest("[data-booking]").dataset;
  press("Take back", `${API}/bookings/${booking}/reverse`, { reason: form.reason.value });
  reveal(form, false);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button === null) return;
  if (button.dataset.do) onPress(button);
  else if ("takeBack" in button.dataset) takeBack(button);
  else if (button.dataset.open) {
    const node = button.closest(".job");
    for (const panel of node.querySelectorAll("[data-panel]")) {
      reveal(panel, panel.dataset.panel === button.dataset.open && panel.hidden);
    }
    if (button.dataset.open === "bookings") showBookings(node).catch(() => { isStale = true; renderConnection(); });
  } else if ("dismiss" in button.dataset) button.closest(".message").remove();
});
document.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("pointerdown", () => { isFingerDown = true; }, true);
for (const name of ["pointerup", "pointercancel"]) {
  // After the click that a release makes, so that it hits what was pressed.
  document.addEventListener(name, () => setTimeout(() => { isFingerDown = false; render(); }), true);
}

person.value = localStorage.getItem("mes.person") ?? "";
person.addEventListener("input", () => localStorage.setItem("mes.person", person.value));
setInterval(renderClocks, 1000);
setInterval(read, POLL_MS);
listen();
read();
outbox.send();
