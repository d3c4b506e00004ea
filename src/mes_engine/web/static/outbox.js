// Presses on their way to the server: kept in the browser's database until each is
// answered, sent in order. The key is made at the press, so that a retry, another tab or
// another start never does a thing twice. What is refused is kept until somebody has
// understood it.

const RETRY_MS = 1000;
const PATIENCE_MS = 15000;

export class Outbox {
  constructor(name, { onAnswer, onRefused, onChange }) {
    this.name = name;
    this.tell = { onAnswer, onRefused, onChange };
    this.entries = [];
    this.isSending = false;
    this.turn = this.open();
  }

  get length() { return this.entries.length; }

  isPending(path) { return this.entries.some((one) => one.path === path); }

  async open() {
    try {
      this.store = await openStore();
      const kept = (await all(this.store)).filter((one) => one.name === this.name);
      for (const one of kept.filter(({ answer }) => answer)) this.tell.onRefused(one);
      this.entries.push(...kept.filter(({ answer }) => !answer));
    } catch {
      this.store = null; // The browser keeps nothing here: presses live as long as the page.
    }
    this.tell.onChange(this.length, false);
    this.send();
  }

  // Sent only when it is kept: one press after the other, in the order of the presses.
  add(entry) {
    const kept = { ...entry, name: this.name, key: newKey() };
    this.turn = this.turn.then(async () => {
      if (this.store) kept.id = await put(this.store, kept).catch(() => undefined);
      this.entries.push(kept);
      this.tell.onChange(this.length, false);
      this.send();
    });
    return this.turn;
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.entries.length) {
      const entry = this.entries[0];
      const answer = await attempt(entry);
      if (answer === null) {
        this.tell.onChange(this.length, true);
        await new Promise((wake) => setTimeout(wake, RETRY_MS));
        continue;
      }
      await (answer.isDone ? this.forget(entry) : this.keepRefused({ ...entry, answer }));
      this.entries.shift();
      this.tell.onChange(this.length, false);
      if (answer.isDone) this.tell.onAnswer(entry, answer);
      else this.tell.onRefused({ ...entry, answer });
    }
    this.isSending = false;
  }

  async keepRefused(entry) {
    if (this.store && entry.id !== undefined) await put(this.store, entry).catch(() => undefined);
  }

  async forget({ id }) {
    if (this.store && id !== undefined) await remove(this.store, id).catch(() => undefined);
  }
}

// Null where the outcome is not known, or the server has no time: the same again.
async function attempt({ path, body, person, key }) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Person": encodeURIComponent(person), "Idempotency-Key": key },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.status >= 500 || response.status === 408 || response.status === 429) return null;
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

// ---- the browser's database ----

const STORE = "outbox";

function openStore() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("mes", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = asked.onblocked = () => reject(asked.error);
  });
}

function all(database) {
  const store = database.transaction(STORE).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const asked = store.getAll();
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

function put(database, entry) {
  return written(database, (store) => store.put(entry));
}

function remove(database, id) {
  return written(database, (store) => store.delete(id));
}

// Done when it is on the disk, not when it was asked for.
function written(database, ask) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    const asked = ask(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}
