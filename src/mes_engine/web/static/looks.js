// State = colour + shape + word, always all three.

const look = (name, icon, word) => ({ look: name, icon, word });

export const LOOK_OF_JOB = {
  "not_allowed_to_start.waiting": look("stop", "■", "Not released"),
  "not_allowed_to_start.ready": look("stop", "■", "Not released"),
  "allowed_to_start.waiting": look("wait", "◔", "Blocked"),
  "allowed_to_start.ready": look("ready", "○", "Ready"),
  "allowed_to_start.loaded": look("ready", "○", "Loaded"),
  "running.setup": look("setup", "✚", "Setting up"),
  "running.processing": look("run", "▶", "Running"),
  "interrupted.held": look("hold", "‖", "On hold"),
  "interrupted.suspended": look("wait", "◔", "Paused"),
  "ended.completed": look("ready", "○", "Completed"),
  "ended.closed": look("ready", "○", "Closed"),
  aborted: look("down", "▲", "Aborted"),
  cancelled: look("stop", "■", "Cancelled"),
};

export const LOOK_OF_MACHINE = {
  executing: look("run", "▶", "Running"),
  not_executing: look("ready", "○", "Idle"),
  out_of_service: look("down", "▲", "Out of service"),
  not_available: look("stop", "■", "Not available"),
  unknown: look("offline", "⊘", "No signal"),
  manual: look("ready", "○", "By hand"),
};

export const LOOK_OF_LINK = {
  connecting: look("offline", "⊘", "Connecting"),
  connected: look("ready", "●", "Connected"),
  lost: look("down", "▲", "Connection lost"),
};
