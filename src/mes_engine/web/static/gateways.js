// Gateways: which machines they bring, and what waits on their disks.

import { LOOK_OF_GATEWAY, LOOK_OF_LINK_STATE } from "/static/looks.js";
import { chip, list, show } from "/static/showing.js";
import { clock, day, t } from "/static/words.js";

function stateOf(one) {
  if (!one.is_heard) return "lost";
  if (one.level !== "ok" || one.set_aside > 0 || Object.keys(one.left_alone).length > 0) return "attention";
  return "heard";
}

function linkOf(one, name, states) {
  const until = one.left_alone[name];
  if (until) return t("{link}: left alone until {time}", { link: name, time: clock(until) });
  const state = one.is_heard ? states[name] : "unknown";
  return `${name}: ${LOOK_OF_LINK_STATE[state]?.word ?? LOOK_OF_LINK_STATE.unknown.word}`;
}

function spoolOf(one) {
  const parts = [
    one.waiting === 0
      ? t("Nothing waits on its disk.")
      : t("{count} reports wait on its disk, the oldest since {time}.", { count: one.waiting, time: day(one.oldest_at) }),
  ];
  if (one.set_aside > 0) {
    parts.push(t("{count} reports are set aside: {reason}", { count: one.set_aside, reason: one.last_set_aside }));
  }
  return parts.join(" ");
}

export function gateways(parent, told) {
  list(parent, told.gateways, {
    template: "gateway", id: "id", key: "gateway",
    render: (node, one) => {
      chip(node.querySelector("[data-chip]"), LOOK_OF_GATEWAY[stateOf(one)]);
      const links = one.links.map((name) => linkOf(one, name, told.links)).join(", ");
      show(node, {
        what: links ? `${one.id}. ${links}` : one.id,
        spool: spoolOf(one),
        since: t("Last seen {time}", { time: day(one.heard_at) }),
      });
    },
  });
}
