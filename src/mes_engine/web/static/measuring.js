// What is measured at a job order: how it stands, and what can be told.

import { list, offer, reveal, show } from "/static/showing.js";
import { t } from "/static/words.js";

function limits({ lower, upper }) {
  if (lower === null && upper === null) return "";
  if (lower === null) return t("at most {upper}", { upper });
  return upper === null ? t("at least {lower}", { lower }) : t("{lower} to {upper}", { lower, upper });
}

function standing(one) {
  if (one.is_missing) return [t("not measured yet"), one.missing_of.join(", ")].filter(Boolean).join(": ");
  if (one.value === null) return "";
  return one.is_within ? one.value : t("{value}, out of limits", { value: one.value });
}

export function measured(panel, { characteristics: asked, lots }) {
  const form = panel.querySelector(":scope > form");
  list(panel.querySelector("[data-list=characteristics]"), asked, {
    template: "characteristic", id: "name", key: "name",
    render: (node, one) => {
      const unit = one.kind === "number" && one.unit !== "C62" ? one.unit : "";
      const what = [one.name, limits(one), unit].filter(Boolean).join(" ");
      show(node, { what, stands: standing(one) });
      node.dataset.measurement = one.measurement ?? "";
      reveal(node.querySelector("[data-reveal]"), Boolean(one.measurement));
    },
  });
  offer(form.characteristic, asked.map((one) => [one.name, one.name]));
  offer(form.lot, [["", t("all")], ...lots.map((one) => [one.lot, one.lot])]);
  reveal(form.lot.closest("label"), lots.length > 1);
}

// A comma is a point in a number, and nothing else in a text.
export function measurement({ form }) {
  const said = form.value.value.trim();
  if (!said) return null;
  const isNumber = /^[+-]?\d+,\d+$/.test(said);
  return {
    characteristic: form.characteristic.value,
    value: isNumber ? said.replace(",", ".") : said,
    ...(form.lot.value ? { lot: form.lot.value } : {}),
    ...(form.gauge.value.trim() ? { gauge: form.gauge.value.trim() } : {}),
  };
}

// The one before it counts again.
export function voiding({ measurement: seq, form }) {
  return { path: `/api/v1/measurements/${seq}/void`, body: { reason: form.reason.value } };
}
