// Before a press: what it would do, as the engine says. A form that names its command in
// `data-look` is asked about when it is opened and whenever something in it is another.

import { around, COMMANDS } from "/static/commands.js";
import { effectsTold } from "/static/effects.js";
import { toldOf } from "/static/looks.js";
import { patch, reveal, texts } from "/static/showing.js";
import { t } from "/static/words.js";

const CALM_MS = 200;

const buttonOf = (form) => form.querySelector(`[data-do=${form.dataset.look}]`);

export class Looking {
  constructor(desk) {
    this.desk = desk;
    this.form = null;
    this.asked = 0;
    for (const name of ["input", "change"]) {
      document.addEventListener(name, ({ target }) => {
        if (target === desk.person) this.soon();
        else this.begin(target.form);
      });
    }
  }

  // From now on what this form would do is looked at, if it is one to be looked at.
  begin(form) {
    if (!form?.dataset?.look) return;
    for (const one of document.querySelectorAll("form[data-look][data-folds]")) {
      if (one !== form) reveal(one, false); // One thing at a time.
    }
    const button = buttonOf(form);
    button.disabled = "afterLook" in button.dataset;
    this.form = form;
    this.soon();
  }

  // Something has changed since, here or elsewhere.
  again(seq) {
    if (this.seq === seq) return;
    this.seq = seq;
    this.soon();
  }

  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.look(), CALM_MS);
  }

  async look() {
    const { form } = this;
    if (!form?.isConnected || !form.checkVisibility()) return;
    const number = ++this.asked;
    const told = await this.ask(form);
    if (number !== this.asked) return; // Somebody has typed on.
    if (this.desk.isFingerDown) this.soon(); // Nothing moves under a finger.
    else this.show(form, told);
  }

  async ask(form) {
    const command = COMMANDS[form.dataset.look](around(buttonOf(form)));
    if (command === null) return {};
    if (!this.desk.who) return { detail: t("Who are you? Type your name first, or scan your badge.") };
    try {
      const response = await fetch(`${command.path}/preview`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Person": encodeURIComponent(this.desk.who) },
        body: JSON.stringify(command.body),
      });
      return await response.json();
    } catch {
      return { detail: t("The connection is lost: what it would do is not known.") };
    }
  }

  show(form, { effects = [], detail = "", hint = "", unmet = [] }) {
    const place = form.querySelector("[data-looked]");
    const [heading, listed, against] = place.children;
    const wanted = form.dataset.effects?.split(" ");
    const told = effectsTold(effects.filter(({ on }) => wanted?.includes(on) ?? true));
    reveal(heading, told.length > 0);
    texts(listed, told);
    patch(against, [detail, hint, ...unmet.map(toldOf)].filter(Boolean).join(" "));
    reveal(against, detail !== "");
    for (const one of form.querySelectorAll("[data-if-unmet]")) {
      const isAsked = unmet.some((why) => why.startsWith(`${one.dataset.ifUnmet}:`));
      reveal(one, isAsked || one.querySelector("input").checked);
    }
    const button = buttonOf(form);
    button.classList.toggle("unmet", detail !== "");
    button.disabled = "afterLook" in button.dataset && told.length === 0;
  }
}
