// State = colour + shape + word, always all three; and conditions in the floor's words.

import { t } from "/static/words.js";

const look = (name, icon, word) => ({ look: name, icon, word });

export const LOOK_OF_JOB = {
  "not_allowed_to_start.waiting": look("stop", "■", t("Not released")),
  "not_allowed_to_start.ready": look("stop", "■", t("Not released")),
  "allowed_to_start.waiting": look("wait", "◔", t("Blocked")),
  "allowed_to_start.ready": look("ready", "○", t("Ready")),
  "allowed_to_start.loaded": look("ready", "○", t("Loaded")),
  "running.setup": look("setup", "✚", t("Setting up")),
  "running.processing": look("run", "▶", t("Running")),
  "interrupted.held": look("hold", "‖", t("On hold")),
  "interrupted.suspended": look("wait", "◔", t("Paused")),
  "ended.completed": look("ready", "○", t("Completed")),
  "ended.closed": look("ready", "○", t("Closed")),
  aborted: look("down", "▲", t("Aborted")),
  cancelled: look("stop", "■", t("Cancelled")),
};

export const HELD = LOOK_OF_JOB["interrupted.held"];

export const ALARM = look("down", "▲", t("Alarm"));

export const LOOK_OF_MACHINE = {
  executing: look("run", "▶", t("Running")),
  not_executing: look("ready", "○", t("Idle")),
  out_of_service: look("down", "▲", t("Out of service")),
  not_available: look("stop", "■", t("Not available")),
  unknown: look("offline", "⊘", t("No signal")),
  manual: look("ready", "○", t("By hand")),
};

export const LOOK_OF_LINK = {
  connecting: look("offline", "⊘", t("Connecting")),
  connected: look("ready", "●", t("Connected")),
  lost: look("down", "▲", t("Connection lost")),
};

export const LOOK_OF_GATEWAY = {
  heard: LOOK_OF_LINK.connected,
  attention: look("wait", "◔", t("Needs attention")),
  lost: LOOK_OF_LINK.lost,
};

export const LOOK_OF_LINK_STATE = {
  connected: LOOK_OF_LINK.connected,
  stale: look("wait", "◔", t("Stands still")),
  disconnected: LOOK_OF_LINK.lost,
  unknown: LOOK_OF_MACHINE.unknown,
};

export const LOOK_OF_WINDOW = {
  armed: look("ready", "◷", t("Queue time")),
  open: look("ready", "◷", t("Queue time")),
  warned: look("wait", "◷", t("Queue time is short")),
  violated: look("down", "▲", t("Queue time is over")),
};

export const ATTENDED = look("ready", "●", t("Attended"));
export const UNATTENDED = look("wait", "◔", t("Unattended"));

const CONDITIONS = {
  upstream_quantity: t("No pieces yet"),
  material_available: t("Material is short"),
  equipment_available: t("Machine"),
  tool_available: t("Tool"),
  person_qualified: t("Qualification"),
  document_released: t("Document"),
  no_hold: t("On hold"),
  request_released: t("Production order"),
  time_window_open: t("Queue time"),
  wip_limit: t("Too much in work"),
  routing_effective: t("Routing"),
  lot_not_held: t("Lot on hold"),
  lane_free: t("No place on the machine"),
  claim_held: t("No place on the machine"),
  quantity_accounted: t("Pieces not reported"),
  nothing_expected: t("Pieces to come"),
  nothing_booked: t("Something is booked"),
  not_loaded_with_material: t("Pieces in process"),
  posting_settled: t("ERP posting"),
  work_unit_suitable: t("Machine"),
  batch_compatible: t("Not together"),
  batch_capacity: t("Run is full"),
  batch_complete: t("Run is not full"),
  required_data: t("Measurement is missing"),
  way_decided: t("Way is not decided"),
};

// A condition that is not met: its name, why, and who can mend it.
export function told({ name, why, mender }) {
  const word = CONDITIONS[name] ?? name;
  return mender ? t("{word}: {why} ({mender} can mend it)", { word, why, mender: t(mender) }) : `${word}: ${why}`;
}

// The same, of a refusal: "name: why".
export function toldOf(unmet) {
  const [, name, why] = /^(\w+): (.*)$/s.exec(unmet) ?? [null, "", unmet];
  return told({ name, why, mender: "" });
}
