// What the terminal and the supervisor's page have in common: who acts, presses and their
// answers, messages, panels, and hearing of changes.

import { around, COMMANDS } from "/static/commands.js";
import { hearOf } from "/static/facts.js";
import { LOOK_OF_LINK, toldOf } from "/static/looks.js";
import { Looking } from "/static/looking.js";
import { Outbox } from "/static/outbox.js";
import { byId, chip, copyOf, list, patch, reveal, show } from "/static/showing.js";
import { t } from "/static/words.js";

const POLL_MS = 15000;
const CALM_MS = 150;
const BOUNCE_MS = 60;

export class Desk {
  // `read` brings what is shown, `render` shows it, `stream` is what to hear of.
  constructor({ name, read, render, stream }) {
    this.read = read;
    this.render = render;
    this.clockOffset = 0;
    this.isFingerDown = false;
    this.link = "connecting";
    this.isStale = false;
    this.person = byId("person");
    this.refused = [];
    this.outbox = new Outbox(name, {
      onAnswer: (entry, answer) => { this.tellResult(entry, answer); this.refresh(); },
      onRefused: (entry) => { this.refused.push(entry); this.renderMessages(); this.refresh(); },
      onChange: (length, isLate) => {
        reveal(byId("waiting"), length > 0 && isLate);
        patch(byId("waiting"), t("{count} waiting to send", { count: length }));
        this.show();
      },
    });
    this.listenToPeople();
    this.looking = new Looking(this);
    this.hear(stream);
    setInterval(() => this.refresh(), POLL_MS);
    this.refresh();
  }

  get now() { return Date.now() + this.clockOffset; }

  get who() { return this.person.value.trim(); }

  isPending(path) { return this.outbox?.isPending(`/api/v1${path}`) ?? false; }

  show() { if (!this.isFingerDown) this.render(this); }

  // ---- reading ----

  async refresh() {
    if (this.isReading) { this.isReadAgain = true; return; }
    this.isReading = true;
    try {
      await this.read(this);
      this.isStale = false;
    } catch {
      this.isStale = true;
    }
    this.isReading = false;
    this.renderConnection();
    this.show();
    if (this.isReadAgain) { this.isReadAgain = false; setTimeout(() => this.refresh(), CALM_MS); }
  }

  async json(path) {
    const response = await fetch(path, { cache: "no-store" });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }

  renderConnection() {
    chip(byId("connection"), LOOK_OF_LINK[this.isStale ? "lost" : this.link]);
  }

  hear(query) {
    const heard = ({ state, changed }) => {
      if (state !== undefined) {
        // What was missed while the stream was away is read again.
        if (state === "connected") this.refresh();
        this.link = state;
        this.renderConnection();
      }
      if (changed) this.refresh();
    };
    if (typeof SharedWorker !== "function") {
      hearOf(query, heard);
      return;
    }
    const worker = new SharedWorker("/static/stream.js", { type: "module", name: query });
    worker.port.onmessage = ({ data }) => heard(data);
    addEventListener("pagehide", () => worker.port.postMessage("bye"));
  }

  // ---- messages ----

  tell(label, detail, more = {}) {
    const key = `${label}: ${detail}`; // The same is said once.
    if (this.refused.some((one) => one.key === key)) return;
    this.refused.push({ key, label, answer: { detail, ...more }, isNote: true });
    this.renderMessages();
  }

  tellResult(entry, { result }) {
    const made = result?.serials ?? result?.lots ?? result?.follow_on ?? (entry.tells && (result?.lot || result?.job_order));
    if (made) this.tell(entry.label, t("Done: {what}", { what: made }));
  }

  renderMessages() {
    list(byId("messages"), this.refused, {
      template: "message", id: "key", key: "message",
      render: (node, { label, answer, isNote }) => {
        const { detail, hint, unmet } = answer;
        show(node, {
          title: isNote ? label : t("{what}: not done", { what: label }),
          detail: [detail, hint].filter(Boolean).join(" "),
        });
        list(node.querySelector("ul"), (unmet ?? []).map((text, at) => ({ text, at })), {
          template: "text", id: "at", key: "at", render: (item, { text }) => patch(item, toldOf(text)),
        });
      },
    });
    reveal(byId("messages"), true);
  }

  dismiss(key) {
    const known = this.refused.find((one) => one.key === key);
    this.refused = this.refused.filter((one) => one !== known);
    if (known && !known.isNote) this.outbox.forget(known);
    this.renderMessages();
  }

  // ---- pressing ----

  press(button) {
    const at = around(button);
    const { form } = at;
    const label = button.dataset.label ?? button.textContent.trim();
    if (!this.who) {
      this.tell(t("{what}: not done", { what: label }), t("Who are you? Type your name first, or scan your badge."));
      this.person.focus();
      return;
    }
    const command = COMMANDS[button.dataset.do](at);
    if (command === null) {
      this.sayWhatIsMissing(form);
      return;
    }
    // One press too many does nothing: a form is empty after its press, and what has no
    // form is not sent twice; a count of pieces may be.
    if (!form && button.dataset.do !== "plus_one" && this.outbox.isPending(command.path)) return;
    this.outbox.add({
      label, path: command.path, person: this.who, tells: "tells" in button.dataset,
      body: { ...command.body, occurred_at: new Date(this.now).toISOString() },
    });
    if (form) form.reset();
    const holder = button.closest("[data-panels]");
    for (const panel of holder?.querySelectorAll("[data-panel]") ?? []) reveal(panel, false);
    if (form && "folds" in form.dataset) reveal(form, false);
    // Who works with the keyboard goes on from here, and not from the top of the page.
    if (button === document.activeElement && !button.checkVisibility()) holder?.focus();
    this.show();
  }

  sayWhatIsMissing(form) {
    const empty = form && [...form.elements].find((one) => one.matches("input:not([type=checkbox])") && !one.value.trim());
    empty?.focus();
  }

  open(button) {
    const holder = button.closest("[data-panels]");
    const name = button.dataset.open;
    for (const panel of holder.querySelectorAll("[data-panel]")) {
      reveal(panel, panel.dataset.panel === name && panel.hidden);
    }
    const opened = [...holder.querySelectorAll("[data-panel]")].find((one) => !one.hidden);
    [...(opened?.querySelectorAll("input, select, button") ?? [])].find((one) => one.checkVisibility())?.focus();
    this.looking.begin(opened);
    return opened;
  }

  listenToPeople() {
    this.person.value ||= localStorage.getItem("mes.person") ?? ""; // Somebody may be faster than we.
    if (this.person.value) localStorage.setItem("mes.person", this.person.value);
    this.person.addEventListener("input", () => this.become(this.person.value));
    byId("language").addEventListener("change", ({ target }) => {
      document.cookie = `mes_language=${target.value}; path=/; max-age=31536000; samesite=strict`;
      location.reload();
    });
    let pressed = null;
    let pressedAt = 0;
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button === null) return;
      // A contact that bounces is one press.
      const bounces = button === pressed && event.timeStamp - pressedAt < BOUNCE_MS;
      [pressed, pressedAt] = [button, event.timeStamp];
      if (bounces) return;
      if (button.dataset.do) this.press(button);
      else if (button.dataset.open) this.onOpen?.(this.open(button), button);
      else if ("reveal" in button.dataset) {
        const form = button.parentElement.querySelector("form");
        reveal(form, form.hidden);
        if (!form.hidden) this.looking.begin(form);
      } else if ("dismiss" in button.dataset) this.dismiss(button.closest("[data-message]").dataset.message);
      else this.onOther?.(button);
    });
    document.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("pointerdown", () => { this.isFingerDown = true; }, true);
    for (const name of ["pointerup", "pointercancel"]) {
      // After the click that a release makes, so that it hits what was pressed.
      document.addEventListener(name, () => setTimeout(() => { this.isFingerDown = false; this.show(); }), true);
    }
  }

  become(name) {
    this.person.value = name;
    localStorage.setItem("mes.person", name);
    this.refresh();
  }
}
