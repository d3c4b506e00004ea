// The floor's words in the language of the page: English is what the source says.

const words = JSON.parse(document.getElementById("words").content.textContent);
const language = document.documentElement.lang;

export function t(text, values = {}) {
  const told = words[text] ?? text;
  return told.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function clock(at) {
  return new Date(at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false });
}

export function day(at) {
  return new Date(at).toLocaleString(language, { dateStyle: "short", timeStyle: "short", hour12: false });
}

// How long, in the largest units that say something.
export function span(seconds) {
  const minutes = Math.ceil(Math.abs(seconds) / 60);
  if (minutes < 120) return t("{count} min", { count: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("{hours} h {minutes} min", { hours, minutes: minutes % 60 });
  return t("{count} days", { count: Math.floor(hours / 24) });
}
