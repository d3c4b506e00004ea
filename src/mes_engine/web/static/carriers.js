// The carrier that was scanned or typed last: what it is, what is in it, and what holds it.

import * as items from "/static/items.js";
import { byId, patch, reveal } from "/static/showing.js";
import { t } from "/static/words.js";

const CALM_MS = 300;
const MOST_NAMED = 12;

// What is directly in it.
function contents({ carrier, carriers, lots }) {
  return [
    ...lots.filter((one) => one.packed_in === carrier.id).map(({ lot }) => lot.serial || lot.id),
    ...carriers.filter((one) => one.carrier === carrier.id).map((one) => one.id),
  ];
}

function told(known) {
  const { carrier } = known;
  const within = contents(known);
  const more = within.length - MOST_NAMED;
  return [
    `${carrier.id} ${carrier.type}`,
    carrier.carrier === null ? "" : t("in carrier {carrier}", { carrier: carrier.carrier }),
    carrier.is_shipped ? t("shipped") : "",
    known.places.length ? t("at {place}", { place: known.places.join(", ") }) : "",
    within.length ? t("in it: {what}", { what: within.slice(0, MOST_NAMED).join(", ") }) : t("it is empty"),
    more > 0 ? t("and {count} more", { count: more }) : "",
  ].filter(Boolean).join("; ");
}

export class CarrierCard {
  constructor(desk) {
    this.desk = desk;
    this.form = byId("carrier");
    this.asked = 0;
    this.form.carrier.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.show(this.form.carrier.value.trim()), CALM_MS);
    });
  }

  // What was named last stays shown until another is named.
  async show(carrier) {
    if (!carrier) return;
    this.carrier = carrier;
    const number = ++this.asked;
    const person = encodeURIComponent(this.desk.who);
    try {
      const response = await fetch(`/api/v1/carriers/${encodeURIComponent(carrier)}?person=${person}`, { cache: "no-store" });
      const known = await response.json();
      if (number === this.asked) this.render(response.ok ? told(known) : known.detail, known.holds ?? []);
    } catch {
      if (number === this.asked) this.render(t("The connection is lost: what is in it is not known."), []);
    }
  }

  again() {
    if (this.carrier !== undefined) this.show(this.carrier);
  }

  render(text, holds) {
    patch(byId("carrier-told"), text);
    reveal(byId("carrier-told"), true);
    items.holds(byId("carrier-holds"), holds);
  }
}
