// Presses on their way to the server: kept until each is answered, sent in order.
// The key is made at the press, so that a retry never does a thing twice.

const RETRY_MS = 1000;

export class Outbox {
  constructor(name, { onAnswer, onChange }) {
    this.name = `mes.outbox.${name}`;
    this.onAnswer = onAnswer;
    this.onChange = onChange;
    this.entries = JSON.parse(localStorage.getItem(this.name) || "[]");
    this.isSending = false;
  }

  get length() { return this.entries.length; }

  add(entry) {
    this.entries.push({ ...entry, key: newKey() });
    this.keep();
    this.send();
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.entries.length) {
      const entry = this.entries[0];
      const answer = await attempt(entry);
      if (answer === null) {
        this.onChange(this.entries.length, true);
        await new Promise((wake) => setTimeout(wake, RETRY_MS));
        continue;
      }
      this.entries.shift();
      this.keep();
      this.onAnswer(entry, answer);
    }
    this.isSending = false;
  }

  keep() {
    localStorage.setItem(this.name, JSON.stringify(this.entries));
    this.onChange(this.entries.length, false);
  }
}

// Null where the outcome is not known, or the server has no time: the same again.
async function attempt({ path, body, person, key }) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Person": encodeURIComponent(person), "Idempotency-Key": key },
      body: JSON.stringify(body),
    });
    if (response.status >= 500 || response.status === 408) return null;
    return { isDone: response.ok, ...(await response.json()) };
  } catch {
    return null;
  }
}

// Not crypto.randomUUID: browsers have it on https only.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
