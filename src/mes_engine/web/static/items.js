// What is listed on terminals and on the supervisor's page alike: alarms, holds, time windows,
// and counts that are on no job order.

import { ALARM, HELD, LOOK_OF_WINDOW } from "/static/looks.js";
import { chip, list, offer, reveal, show } from "/static/showing.js";
import { clock, day, span, t } from "/static/words.js";

const MODES = { stop_now: t("stops now"), after_run: t("stops after this run"), future: t("stops what comes") };

const REASONS = {
  no_active_run: t("nothing was loaded"),
  before_begin: t("before work was begun"),
  past_quantity: t("more than was ordered"),
  suspect_count: t("the counter jumped"),
  spans_outage: t("the connection was lost"),
  shared_run: t("several job orders were in the run"),
  lot_held: t("the lot was on hold"),
  reversed: t("the booking was taken back"),
  too_late: t("too late for its job order"),
};

export function alarms(parent, open) {
  list(parent, open, {
    template: "alarm", id: "id", key: "alarm",
    render: (node, one) => {
      chip(node.querySelector("[data-chip]"), ALARM);
      show(node, {
        what: one.text,
        since: t("{unit}, {code}, severity {severity}, since {time}", {
          unit: one.work_unit, code: one.code, severity: one.severity, time: clock(one.raised_at),
        }),
      });
    },
  });
}

export function holds(parent, open) {
  list(parent, open, {
    template: "hold", id: "id", key: "hold",
    render: (node, one) => {
      chip(node.querySelector("[data-chip]"), HELD);
      const who = one.releaser || t("anybody");
      show(node, {
        what: `${one.id} ${one.scope === "carrier" ? t("carrier {carrier}", { carrier: one.target }) : one.target}: ${one.reason}`,
        who: t("{mode}, by {owner}; may be released by {who}", { mode: MODES[one.mode], owner: one.owner, who }),
      });
      node.querySelector("button").classList.toggle("unmet", one.may_release === false);
    },
  });
}

export function timeWindows(parent, live, now) {
  list(parent, live, {
    template: "time-window", id: "id", key: "timeWindow",
    render: (node, one) => {
      chip(node.querySelector("[data-chip]"), LOOK_OF_WINDOW[one.state] ?? LOOK_OF_WINDOW.armed);
      show(node, {
        what: `${one.lot ?? one.work_request} ${one.from} → ${one.to}`,
        left: timeLeft(one, now),
      });
      const isToWaive = one.state === "violated" || isTooEarly(one, now);
      reveal(node.querySelector("[data-reveal]"), isToWaive);
      if (!isToWaive) reveal(node.querySelector("form"), false);
    },
  });
}

function isTooEarly(one, now) {
  return one.opens_at !== null && one.opened_at === null && Date.parse(one.opens_at) > now;
}

function timeLeft(one, now) {
  if (isTooEarly(one, now)) {
    return t("has to wait {span} more", { span: span((Date.parse(one.opens_at) - now) / 1000) });
  }
  if (one.closes_at === null) return t("may go on");
  const seconds = (Date.parse(one.closes_at) - now) / 1000;
  const values = { span: span(seconds), time: clock(one.closes_at) };
  return seconds > 0 ? t("{span} left, until {time}", values) : t("over for {span}, since {time}", values);
}

// The job orders that are offered come from `jobOrders`, as [id, title].
export function unassigned(parent, items, jobOrders = () => []) {
  list(parent, items, {
    template: "count", id: "seq", key: "production",
    render: (node, one) => {
      const what = one.role === "good" ? t("good") : t("scrap");
      const times = { from: day(one.at), until: clock(one.until) };
      show(node, {
        what: t("{count} {what} at {unit}", { count: one.left, what, unit: one.work_unit }),
        who: `${REASONS[one.reason] ?? one.reason}; ${t("counted {from} to {until}", times)}`,
      });
      const known = jobOrders(one);
      if (one.job_order && !known.some(([id]) => id === one.job_order)) known.unshift([one.job_order, one.job_order]);
      offer(node.querySelector("datalist"), known);
      const field = node.querySelector("[name=job_order]");
      if (!field.isOffered) {
        const options = node.querySelector("datalist");
        options.id = `jobs-${one.seq}`;
        field.setAttribute("list", options.id);
        field.isOffered = true;
      }
      if (!field.value && document.activeElement !== field && known.length) field.value = known[0][0];
    },
  });
}

