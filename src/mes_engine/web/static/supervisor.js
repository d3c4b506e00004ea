// The supervisor's page: alarms of machines, what is held, what was counted on no job order, and lots whose
// queue time is short or over, of the whole plant; and how machines are connected.

import { correctionsByName } from "/static/corrections.js";
import { Desk } from "/static/desk.js";
import { gateways } from "/static/gateways.js";
import * as items from "/static/items.js";
import { byId, reveal } from "/static/showing.js";

const TYPES = [
  "hold_opened", "hold_released", "production_unassigned", "production_settled",
  "time_window_armed", "time_window_warned", "time_window_violated", "time_window_waived",
  "alarm_raised", "alarm_cleared",
  "time_window_satisfied", "time_window_passed", "time_window_voided",
];
const LOOK_MS = 5000;
let latest = null;
let connections = null;

async function read(desk) {
  [latest, connections] = await Promise.all([
    desk.json(`/api/v1/board?person=${encodeURIComponent(desk.who)}`),
    desk.json("/api/v1/gateways"),
  ]);
  desk.clockOffset = Date.parse(latest.now) - Date.now();
  desk.looking.again(latest.seq);
  ended.again(latest.seq);
}

function render({ now }) {
  if (latest === null) return;
  items.holds(byId("holds"), latest.holds);
  reveal(byId("no-holds"), latest.holds.length === 0);
  items.alarms(byId("alarms"), latest.alarms);
  reveal(byId("no-alarms"), latest.alarms.length === 0);
  items.unassigned(byId("unassigned"), latest.unassigned);
  reveal(byId("no-unassigned"), latest.unassigned.length === 0);
  items.timeWindows(byId("windows"), latest.time_windows, now);
  gateways(byId("gateways"), connections);
  reveal(byId("no-gateways"), connections.gateways.length === 0);
  reveal(byId("no-windows"), latest.time_windows.length === 0);
}

const desk = new Desk({
  name: "supervisor", read, render, stream: TYPES.map((type) => `type=${type}`).join("&"),
});
const ended = correctionsByName(desk);
setInterval(() => { if (!desk.isFingerDown) render(desk); }, 1000);
setInterval(() => desk.refresh(), LOOK_MS); // nothing tells of a gateway that says nothing
