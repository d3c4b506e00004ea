// A job order on the machine, and one that waits: what is known of it, what can be done.

import { BUCKETS } from "/static/effects.js";
import * as items from "/static/items.js";
import { LOOK_OF_JOB, told } from "/static/looks.js";
import { measured } from "/static/measuring.js";
import { chip, list, offer, reveal, show, texts } from "/static/showing.js";
import { day, t } from "/static/words.js";

// What is asked of a job order's state for what is no trigger by itself.
const NEEDED_FOR = {
  plus_one: "report", rework: "report", bookings: "report", material: "report", lots: "report",
};
export function title(job) {
  return `${job.work_request} ${job.step} ${job.step_name}, ${job.material}`;
}

export function renderJob(node, job, { now, isPending }) {
  const legal = new Map(job.triggers.map((one) => [one.trigger, one]));
  const primary = primaryOf(job);
  common(node, job, now);
  show(node, {
    reason: job.state.startsWith("interrupted") ? job.reason : "",
    good: job.good, scrap: job.scrap, todo: job.to_do,
    here: job.here === null ? "0" : job.here.queued,
    together: together(job),
  });
  texts(node.querySelector("[data-list=why]"), against(job, legal.get(NEEDED_FOR[primary] ?? primary)));
  documents(node.querySelector("[data-list=documents]"), job.documents);
  tools(node.querySelector("[data-list=tools]"), job.tools);
  for (const button of node.querySelectorAll(".actions > button")) {
    const name = button.dataset.do ?? button.dataset.open;
    const trigger = legal.get(NEEDED_FOR[name] ?? name);
    reveal(button, isOffered(name, job, trigger));
    button.classList.toggle("primary", name === primary);
    button.classList.toggle("unmet", trigger !== undefined && !trigger.is_allowed);
    button.title = trigger === undefined ? "" : trigger.unmet.map(told).join("; ");
    const isSent = button.dataset.do !== undefined && isPending(`/job-orders/${job.id}/${name}`);
    button.setAttribute("aria-busy", String(isSent));
  }
  for (const button of node.querySelectorAll("[data-panel=more] [data-open]")) {
    reveal(button, isOffered(button.dataset.open, job, legal.get(NEEDED_FOR[button.dataset.open] ?? button.dataset.open)));
  }
  closeWhatIsOver(node, job, legal);
  offer(node.querySelector("[name=loop]"), job.rework_loops.map((one) => [one.id, t("step {step}", { step: one.target })]));
  const report = node.querySelector("form[data-panel=report]");
  reveal(report.lot.closest("label"), job.lots.length > 1);
  offer(report.lot, [["", t("the oldest")], ...job.lots.map((one) => [one.lot, nameOf(one)])]);
  components(node, job);
  measured(node.querySelector("[data-panel=measure]"), job);
  node.run = job.runs.at(-1) ?? null;
}

export function renderRow(node, job, { now, takesSeveral }) {
  const isSetDown = job.state.startsWith("interrupted");
  common(node, job, now);
  show(node, {
    todo: job.pool === null ? amount(job) : t("{count} of {all} wait for a run", { count: job.pool, all: amount(job) }),
    due: t("due {time}", { time: day(job.due_at) }),
  });
  const why = job.unmet.map(told);
  if (isSetDown && job.reason && !why.length) why.push(job.reason);
  reveal(node.querySelector(".heading"), job.unmet.length > 0);
  texts(node.querySelector("[data-list=why]"), why);
  const load = node.querySelector("[data-do=load]");
  reveal(load, !isSetDown);
  load.classList.toggle("unmet", job.unmet.length > 0);
  reveal(node.querySelector("[data-do=resume_here]"), isSetDown);
  reveal(node.querySelector(".pool"), job.pool !== null && !isSetDown);
  reveal(node.querySelector(".pick"), takesSeveral && !isSetDown);
  reveal(node.querySelector("[data-open=skip]"), job.is_optional && !isSetDown);
  reveal(node.querySelector("[data-open=deviate]"), job.lots.length > 0);
  reveal(node.querySelector("[data-open=lots]"), job.lots.length > 0);
  reveal(node.querySelector("[data-open=serials]"), job.lots.some((one) => one.takes_serials));
}

function amount(job) {
  const count = job.to_do;
  if (job.unit !== "C62") return `${count} ${job.unit_name}`;
  return count === "1" ? t("{count} piece", { count }) : t("{count} pieces", { count });
}

function common(node, job, now) {
  node.dataset.workRequest = job.work_request;
  node.dataset.visit = job.visit;
  chip(node.querySelector("[data-chip]"), LOOK_OF_JOB[job.state]);
  show(node, { title: title(job) });
  items.holds(node.querySelector("[data-list=holds]"), job.holds);
  items.timeWindows(node.querySelector("[data-list=windows]"), job.time_windows, now);
  offer(node.querySelector("[name=scope]"), [
    ["job_order", t("this job order")], ["work_request", t("the whole order {order}", { order: job.work_request })],
    ...job.lots.map((one) => [`lot|${one.lot}`, t("lot {lot}", { lot: nameOf(one) })]),
  ]);
  offer(node.querySelector("[name=to_step]"), job.ways.map((one) => [one.step, `${one.step} ${one.name}`]));
  texts(node.querySelector("[data-list=no-right]"), job.no_right ? [`${t("Qualification")}: ${job.no_right}`] : []);
  const amounts = job.lots.flatMap((one) => Object.keys(BUCKETS)
    .filter((bucket) => one[bucket] !== "0").map((bucket) => [one, bucket, one[bucket]]));
  const told = amounts.map(([one, bucket, count]) => [`${one.lot}|${bucket}`, `${nameOf(one)}: ${count} ${BUCKETS[bucket]}`]);
  offer(node.querySelector("form[data-panel=lots] [name=lot]"), told);
  offer(node.querySelector("form[data-panel=serials] [name=lot]"), told.filter((_, at) => amounts[at][0].takes_serials));
  list(node.querySelector("[data-list=lots]"), job.lots, {
    template: "lot", id: "lot", key: "lot",
    render: (item, one) => {
      const told = Object.entries(BUCKETS).filter(([bucket]) => one[bucket] !== "0").map(([bucket, word]) => `${one[bucket]} ${word}`);
      show(item, { what: `${nameOf(one)}: ${told.join(", ")}` });
      item.querySelector("input").value = one.lot;
    },
  });
}

const nameOf = (lot) => (lot.serial ? `${lot.lot} ${lot.serial}` : lot.lot);

function together(job) {
  const others = (job.runs.at(-1)?.job_orders ?? []).filter((one) => one !== job.id);
  return others.length ? t("In one run with {others}", { others: others.join(", ") }) : "";
}

function against(job, trigger) {
  const found = new Map(job.conditions.filter((one) => !one.is_met).map((one) => [one.name, one]));
  for (const one of [...(trigger?.unmet ?? []), ...job.awaits]) found.set(one.name, one);
  return [...found.values()].map(told);
}

function isOffered(name, job, trigger) {
  switch (name) {
    case "more": case "hold": return true;
    case "rework": return trigger !== undefined && job.rework_loops.length > 0;
    case "material": return trigger !== undefined && job.components.length > 0;
    case "measure": return job.characteristics.length > 0;
    case "lots": case "deviate": return job.lots.length > 0;
    case "serials": return job.lots.some((one) => one.takes_serials);
    case "split": return job.split_of !== null || Number(job.to_do) > 1;
    default: return trigger !== undefined;
  }
}

function closeWhatIsOver(node, job, legal) {
  for (const panel of node.querySelectorAll("[data-panel]")) {
    const name = panel.dataset.panel;
    if (!isOffered(name, job, legal.get(NEEDED_FOR[name] ?? name))) reveal(panel, false);
  }
}

function documents(parent, listed) {
  texts(parent, listed.map((one) => (one.is_released
    ? t("Read {document}, revision {revision}: {title}", { document: one.id, revision: one.revision, title: one.title })
    : t("{document} is not released", { document: one.id }))));
}

function tools(parent, listed) {
  list(parent, listed.map((one, at) => ({ ...one, at })), {
    template: "tool-need", id: "at", key: "at",
    render: (node, one) => {
      const left = one.left === null ? "" : t("{left} {unit} left", { left: one.left, unit: t(one.tool.life_unit) });
      const what = one.tool === null ? `${one.asset_class}: ${one.why}` : `${one.asset_class}: ${one.tool.id} ${one.tool.name}`;
      show(node, { what, left: [left, one.tool ? one.why : ""].filter(Boolean).join("; ") });
      const free = one.mountable.filter((id) => id !== one.tool?.id || one.tool.work_unit === null);
      reveal(node.querySelector("form"), free.length > 0);
      offer(node.querySelector("select"), free.map((id) => [id, id]));
    },
  });
}

function components(node, job) {
  const form = node.querySelector("form[data-panel=material]");
  texts(form.querySelector("[data-list=components]"), job.components.map((one) => t(
    "{material}: {count} {unit} a piece; {used} given by hand",
    { material: one.material, count: one.per_piece, unit: one.unit, used: one.used },
  )));
  offer(form.lot, job.components.flatMap((one) => one.lots.map(
    (lot) => [lot.lot, `${one.material} ${lot.lot}: ${lot.quantity} ${one.unit}, ${lot.place}`],
  )));
}

function primaryOf(job) {
  if (job.state === "allowed_to_start.loaded" || job.state === "running.setup") return "begin";
  if (job.state.startsWith("interrupted")) return "resume";
  return Number(job.to_do) > 0 ? "plus_one" : "complete";
}

export function renderClock(node, now) {
  const { run } = node;
  let seconds = run === null ? 0 : Number(run.setup_s) + Number(run.processing_s);
  if (run !== null && run.clock !== "stopped" && run.since !== null) {
    seconds += Math.max(0, (now - Date.parse(run.since)) / 1000);
  }
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  show(node, { time: `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` });
}
