// What was booked on a job order, to be taken back: the newest first, a page at a time.

import { byId, copyOf, offer, patch, reveal, show } from "/static/showing.js";
import { day, t } from "/static/words.js";

const AMOUNTS = ["good", "scrap", "suspect", "lost", "tested"];
const left = (one, name) => Number(one[name]) - Number(one.reversed_by?.[name] ?? 0);
const leftOf = (one) => AMOUNTS.filter((name) => left(one, name) !== 0);

const TOLD = {
  report: (one) => leftOf(one).map((name) => `${left(one, name)} ${t(name)}`).join(", ") || t("time"),
  rework: (one) => `${one.sent} → ${one.to_visit.split("/")[1]}`,
  deviation: (one) => `${one.sent} → ${one.to_visit.split("/")[1]}`,
  consumption: ({ moves }) => moves.map((move) => t("{count} {unit} of {lot} consumed", { count: move.quantity, unit: move.unit, lot: move.lot })).join(", "),
  completion: () => t("ended, with all that was booked"),
};

export class Corrections {
  // `root` holds a list of bookings and a button for earlier ones.
  constructor(desk, root) {
    this.desk = desk;
    this.root = root;
    this.parent = root.querySelector(".bookings");
    this.earlier = root.querySelector("[data-earlier]");
    this.earlier.addEventListener("click", () => this.show(this.jobOrder, this.earlier.dataset.earlier));
  }

  get isOpen() {
    return [...this.parent.querySelectorAll("form")].some((one) => !one.hidden);
  }

  async show(jobOrder, cursor = "") {
    this.jobOrder = jobOrder;
    this.isPaged = cursor !== "";
    const label = t("Take back");
    try {
      const path = `/api/v1/job-orders/${encodeURIComponent(jobOrder)}/bookings?limit=20${cursor && `&cursor=${cursor}`}`;
      const response = await fetch(path, { cache: "no-store" });
      const page = await response.json();
      if (response.ok) this.render(page, cursor !== "");
      else { this.clear(); this.desk.tell(label, page.detail, page); }
    } catch {
      this.desk.tell(label, t("The connection is lost: what was booked is not known."));
    }
  }

  // Somebody has booked or taken back since; what stands open is not taken from under a hand.
  again(seq) {
    if (this.jobOrder !== undefined && this.seq !== seq && !this.isOpen && !this.isPaged) this.show(this.jobOrder);
    this.seq = seq;
  }

  clear() {
    this.jobOrder = undefined;
    this.parent.replaceChildren();
    reveal(this.earlier, false);
  }

  render({ items, next }, isMore) {
    const open = items.filter((one) => one.kind in TOLD && !one.reversed_by?.is_whole);
    const shown = open.map((one) => this.item(one));
    if (isMore) this.parent.append(...shown); else this.parent.replaceChildren(...shown);
    this.earlier.dataset.earlier = next ?? "";
    reveal(this.earlier, next !== null);
    patch(this.earlier, t("Earlier ones"));
  }

  item(one) {
    const node = copyOf("booking");
    const form = node.querySelector("form");
    show(node, { what: `${day(one.at)} ${one.person || t("machine")}: ${TOLD[one.kind](one)}` });
    node.dataset.booking = one.seq;
    const isReport = one.kind === "report";
    offer(form.reported_as, leftOf(one).map((name) => [name, `${left(one, name)} ${t(name)}`]));
    reveal(form.quantity.closest("label"), one.kind === "consumption" || (isReport && leftOf(one).length > 0));
    reveal(form.reported_as.closest("label"), isReport && leftOf(one).length > 1);
    reveal(form.is_onward.closest("label"), isReport || one.kind === "completion");
    reveal(form.counted.closest("label"), one.source === "machine");
    return node;
  }
}

// The section in which any job order is named: one that has ended is on no machine.
export function correctionsByName(desk) {
  const section = byId("corrections");
  const corrections = new Corrections(desk, section);
  const form = section.querySelector("form");
  section.querySelector("[data-bookings]").addEventListener("click", () => {
    const jobOrder = form.job_order.value.trim();
    if (jobOrder) corrections.show(jobOrder); else form.job_order.focus();
  });
  return corrections;
}
