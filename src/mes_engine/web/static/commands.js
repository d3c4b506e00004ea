// What each press sends: by the name of its button, a path and a body; null where the
// form has nothing to say.

import { measurement, voiding } from "/static/measuring.js";

const API = "/api/v1";

export const number = (field) => field.value.trim().replace(",", ".");

// A form may say a quantity, and take its absence for "all".
function maybe(field) {
  const quantity = number(field);
  return quantity ? { quantity } : {};
}

function ofJob(trigger, body = () => ({})) {
  return (at) => {
    const said = body(at);
    return said && { path: `${API}/job-orders/${at.jobOrder}/${trigger}`, body: said };
  };
}

const asserted = (trigger) => ofJob(trigger);

function report({ form }) {
  const [good, scrap, suspect] = [number(form.good), number(form.scrap), number(form.suspect)];
  if (!good && !scrap && !suspect) return null;
  return {
    good: good || "0",
    scrap: scrap ? [{ quantity: scrap, reason: form.reason.value }] : [],
    suspect: suspect || "0",
    reason: form.reason.value,
    ...(form.lot.value ? { lot: form.lot.value } : {}),
  };
}

function deviation({ form }) {
  return {
    to_step: form.to_step.value, reason: form.reason.value,
    taken_from: form.taken_from.value, ...maybe(form.quantity),
  };
}

function hold({ form, jobOrder, workRequest }) {
  const [scope, target] = form.scope.value.split("|");
  return {
    path: `${API}/holds`,
    body: {
      scope, target: { job_order: jobOrder, work_request: workRequest, lot: target }[scope],
      reason: form.reason.value, mode: form.mode.value, releaser: form.releaser.value.trim(),
    },
  };
}

function splitLot({ form, visit }) {
  const quantity = number(form.quantity);
  const [lot, bucket] = form.lot.value.split("|");
  if (!quantity || !lot) return null;
  return { path: `${API}/lots/${lot}/split`, body: { quantities: [quantity], reason: form.reason.value, place: visit, bucket } };
}

function serialise({ form, visit }) {
  const [lot, bucket] = form.lot.value.split("|");
  if (!lot) return null;
  return {
    path: `${API}/lots/${encodeURIComponent(lot)}/serialise`,
    body: { serials: named(form.serials), reason: form.reason.value, place: visit, bucket, ...maybe(form.quantity) },
  };
}

function mergeLots({ form, button }) {
  const chosen = [...button.closest("[data-panel]").querySelectorAll("[name=merged]:checked")];
  if (chosen.length < 2) return null;
  return { path: `${API}/lots/merge`, body: { lots: chosen.map((one) => one.value), reason: form.reason.value } };
}

function consume({ form, jobOrder }) {
  const quantity = number(form.quantity);
  if (!quantity || !form.lot.value) return null;
  const isDamaged = form.is_damaged.checked;
  return {
    path: `${API}/lots/${form.lot.value}/consume`,
    body: { job_order: jobOrder, quantity, is_damaged: isDamaged, reason: isDamaged ? form.reason.value : "" },
  };
}

function takeBack({ booking, form }) {
  const quantity = number(form.quantity);
  return {
    path: `${API}/bookings/${booking}/reverse`,
    body: {
      reason: form.reason.value, counted: form.counted.value,
      where: form.is_onward.checked ? "where_it_is" : "here",
      ...(quantity ? { quantity, reported_as: form.reported_as.value } : {}),
      ...(form.into_open_period.checked ? { into_open_period: true } : {}),
    },
  };
}

function assign({ form, production }) {
  const jobOrder = form.job_order.value.trim();
  if (!jobOrder) return null;
  const path = `${API}/unassigned-production/${production}/assign`;
  return { path, body: { job_order: jobOrder, reason: form.reason.value, ...maybe(form.quantity) } };
}

function dismissal({ form, production }) {
  const path = `${API}/unassigned-production/${production}/dismiss`;
  return { path, body: { reason: form.dismissal.value, ...maybe(form.quantity) } };
}

function mount({ form, workUnit }) {
  const tool = form.tool.value.trim();
  return tool ? { path: `${API}/tools/${tool}/mount`, body: { work_unit: workUnit } } : null;
}

const named = (field) => field.value.split(/[\s,;]+/).filter(Boolean);

function ofCarrier(deed, body) {
  return (at) => {
    const carrier = at.form.carrier.value.trim();
    const said = carrier && body(at);
    return said ? { path: `${API}/carriers/${encodeURIComponent(carrier)}/${deed}`, body: said } : null;
  };
}

function holdCarrier({ form }) {
  const target = form.carrier.value.trim();
  if (!target) return null;
  return {
    path: `${API}/holds`,
    body: { scope: "carrier", target, reason: form.reason.value, mode: form.mode.value, releaser: form.releaser.value.trim() },
  };
}

function packed({ form }) {
  const contents = named(form.contents);
  return contents.length ? { contents } : null;
}

function ofBooks(deed, field) {
  return ({ form }) => {
    const [dayOf, reason] = [form[field].value, form.reason.value.trim()];
    return dayOf && reason ? { path: `${API}/books/${deed}`, body: { [field]: dayOf, reason } } : null;
  };
}

function ofPosting(deed, needsReason = true) {
  return ({ posting, form }) => {
    const reason = form.reason.value.trim();
    if (needsReason && !reason) return null;
    return { path: `${API}/postings/${posting}/${deed}`, body: needsReason ? { reason } : {} };
  };
}

function loadTogether({ workUnit }) {
  const chosen = [...document.querySelectorAll("[name=together]:checked")];
  if (!chosen.length) return null;
  const jobOrders = chosen.map((one) => one.closest("[data-job-order]").dataset.jobOrder);
  for (const one of chosen) one.checked = false;
  return { path: `${API}/work-units/${workUnit}/load`, body: { job_orders: jobOrders } };
}

export const COMMANDS = {
  ...Object.fromEntries(["begin", "begin_setup", "complete", "resume", "unload"].map((one) => [one, asserted(one)])),
  plus_one: ofJob("report", () => ({ good: "1" })),
  load: ofJob("load", ({ workUnit, button }) => ({
    work_unit: workUnit,
    ...maybe(button.closest(".actions").querySelector("[name=run_quantity]")),
  })),
  resume_here: ofJob("resume", ({ workUnit }) => ({ work_unit: workUnit })),
  pause: ofJob("pause", ({ button }) => ({ reason: button.dataset.reason })),
  stop: ofJob("stop", ({ form }) => ({ remainder: form.remainder.value, reason: form.reason.value })),
  report: ofJob("report", report),
  measure: ofJob("measurements", measurement),
  void: voiding,
  rework: ofJob("rework", ({ form }) => (number(form.quantity)
    ? { loop: form.loop.value, reason: form.reason.value, ...maybe(form.quantity) } : null)),
  deviate: ofJob("deviate", deviation),
  skip: ofJob("skip", ({ form }) => ({ reason: form.reason.value })),
  split_job: ofJob("split", ({ form }) => (number(form.quantity) ? maybe(form.quantity) : null)),
  hold,
  release: ({ hold: id }) => ({ path: `${API}/holds/${id}/release`, body: {} }),
  waive: ({ timeWindow, form }) => ({ path: `${API}/time-windows/${timeWindow}/waive`, body: { reason: form.reason.value } }),
  split_lot: splitLot,
  merge_lots: mergeLots,
  serialise,
  consume,
  take_back: takeBack,
  sign_on: ({ workUnit }) => ({ path: `${API}/work-units/${workUnit}/sign-on`, body: {} }),
  sign_off: ({ workUnit, person }) => ({ path: `${API}/work-units/${workUnit}/sign-off`, body: { person } }),
  mount,
  unmount: ({ tool }) => ({ path: `${API}/tools/${tool}/unmount`, body: {} }),
  load_carrier: ofCarrier("load", ({ workUnit }) => ({ work_unit: workUnit })),
  pack: ofCarrier("pack", packed),
  hold_carrier: holdCarrier,
  move_carrier: ofCarrier("move", ({ form }) => {
    const place = form.to_location.value.trim();
    return place ? { to_location: place } : null;
  }),
  unpack: ofCarrier("unpack", ({ form }) => packed({ form }) ?? {}),
  close_books: ofBooks("close", "last_day"),
  reopen_books: ofBooks("reopen", "first_day"),
  release_posting: ofPosting("release"),
  waive_posting: ofPosting("waive"),
  retry_posting: ofPosting("retry", false),
  assign,
  dismiss: dismissal,
  load_together: loadTogether,
  dispatch: ({ workUnit }) => ({ path: `${API}/work-units/${workUnit}/dispatch`, body: {} }),
};

// What a button stands in: the data of all that is around it, the nearest first.
export function around(button) {
  const found = { button, form: button.form };
  for (let node = button; node !== null; node = node.parentElement) {
    for (const [name, value] of Object.entries(node.dataset ?? {})) found[name] ??= value;
  }
  return { ...found, ...document.getElementById("terminal").dataset };
}
