// What a command would do, in the floor's words.

import { LOOK_OF_JOB, told } from "/static/looks.js";
import { t } from "/static/words.js";

export const BUCKETS = {
  queued: t("queued"), in_process: t("in process"), suspect: t("suspect"), out: t("out"),
};

const WORDS = {
  ...BUCKETS,
  transit: t("on the way"), stock: t("in stock"),
  started: t("started"), produced: t("produced"), received: t("received"), found: t("found"),
  good: t("good"), scrap: t("scrap"), lost: t("lost"), tested: t("tested"), consumed: t("consumed"), shipped: t("shipped"),
  reworked: t("sent to rework"), deviated: t("sent another way"),
  planned: t("pieces"), quantity: t("pieces"), state: t("state"),
  pending: t("to be sent"), retrying: t("not answered yet"), in_doubt: t("in doubt"), parked: t("the ledger refused it"),
  held: t("of a closed period"), acknowledged: t("booked"), waived: t("done without"), netted: t("never sent"),
  setup_s: t("s of setup"), processing_s: t("s of machine time"), labour_s: t("s of labour"),
};

export const word = (what) => WORDS[what] ?? what;
const value = ({ what }, one) => (what === "state" ? LOOK_OF_JOB[one]?.word ?? word(one) : String(one ?? "–"));
const change = (one) => `${word(one.what)} ${value(one, one.before)} → ${value(one, one.after)}`;
const changes = (some) => some.map(change).join(", ");

function amounts(some, side) {
  const isShown = (one) => one.what === "is_final" || Number(one[side]) >= 1 || !one.what.endsWith("_s");
  return some.filter(isShown).map((one) => {
    if (one.what === "is_final") return t("the last word");
    const amount = one.what.endsWith("_s") ? Math.round(Number(one[side])) : one[side];
    return `${amount} ${word(one.what)}`;
  }).join(", ");
}

// A visit is a pass of a request through a step; what is no visit is a place of stock.
function place(id) {
  const [, step, pass] = id.split("/");
  if (step === undefined) return id;
  return pass === "1" || pass === undefined ? t("operation {step}", { step }) : t("operation {step}, pass {pass}", { step, pass });
}

function jobOrder(id, some) {
  const step = some.find((one) => one.what === "step");
  if (step === undefined) return t("Job order {id}: {changes}", { id, changes: changes(some) });
  const planned = some.find((one) => one.what === "planned");
  return t("New job order {id} at operation {step}: {count} pieces", { id, step: step.after, count: planned?.after ?? "" });
}

function posting(id, [one, ...more]) {
  if (one.what === "state") return t("ERP: posting {id} of {job}: {changes}", { id, job: one.why, changes: change(one) });
  return one.after === null
    ? t("ERP: {amounts} of {job} is taken back", { amounts: amounts([one, ...more], "before"), job: one.why })
    : t("ERP: {amounts} of {job} is posted", { amounts: amounts([one, ...more], "after"), job: one.why });
}

const TOLD = {
  booking: (id, some) => t("Booking {id} on {job}: {changes}", { id, job: some[0].why, changes: changes(some) }),
  job_order: jobOrder,
  work_request: (id, some) => t("Production order {id}: {changes}", { id, changes: changes(some) }),
  pieces: (id, some) => t("{place}, lot {lot}: {changes}", { place: place(id), lot: some[0].why, changes: changes(some) }),
  posting,
  books: (_, [one]) => (one.after === null ? t("No day is closed.") : t("The books are closed until {day}.", { day: one.after })),
  unassigned: (id, some) => t("Counted at {unit}, and on no job order: {changes}", { unit: id, changes: changes(some) }),
  lot: (id, [one]) => `${id}: ${one.after}`,
};

// One line for each thing that would be another; for each condition that would not hold.
export function effectsTold(effects) {
  const groups = new Map();
  for (const one of effects) {
    const key = [one.on, one.id, one.on === "pieces" ? one.why : "", one.on === "posting" && one.after === null].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((some) => {
    const [{ on, id }] = some;
    if (on !== "condition") return [TOLD[on](id, some)];
    return some.filter((one) => !one.after).map((one) => `${id}: ${told({ name: one.what, why: one.why, mender: "" })}`);
  });
}
