// The operator's terminal: what is on the machine, what waits, who and what is there.

import { CarrierCard } from "/static/carriers.js";
import { Corrections, correctionsByName } from "/static/corrections.js";
import { Desk } from "/static/desk.js";
import * as items from "/static/items.js";
import { renderClock, renderJob, renderRow, title } from "/static/job.js";
import { ATTENDED, LOOK_OF_MACHINE, UNATTENDED } from "/static/looks.js";
import { listenForScans } from "/static/scan.js";
import { arrange, byId, chip, copyOf, list, patch, reveal, show } from "/static/showing.js";
import { clock, t } from "/static/words.js";

const terminal = byId("terminal").dataset;
let latest = null;

async function read(desk) {
  const person = encodeURIComponent(desk.who);
  latest = await desk.json(`/api/v1/work-units/${terminal.workUnit}/terminal?person=${person}`);
  desk.clockOffset = Date.parse(latest.now) - Date.now();
  desk.looking.again(latest.seq);
  ended.again(latest.seq);
  carrier.again();
}

function newNode(template) {
  return (id) => {
    const node = copyOf(template);
    node.dataset.jobOrder = id;
    return node;
  };
}

function render(desk) {
  if (latest === null) return;
  const { unit, loaded, people } = latest;
  const { now } = desk;
  chip(byId("machine"), LOOK_OF_MACHINE[unit.equipment.shown] ?? LOOK_OF_MACHINE.unknown);
  const jobs = arrange(byId("now"), loaded.map((one) => one.id), newNode("job"));
  reveal(byId("nothing"), loaded.length === 0);
  const isPending = (path) => desk.isPending(path);
  for (const one of loaded) renderJob(jobs.get(one.id), one, { now, isPending });
  const waiting = [...latest.set_down, ...latest.waiting];
  const rows = arrange(byId("queue"), waiting.map((one) => one.id), newNode("row"));
  reveal(byId("nothing-waits"), waiting.length === 0);
  for (const one of waiting) renderRow(rows.get(one.id), one, { now, takesSeveral: latest.takes_several });
  const unseen = latest.total - latest.waiting.length;
  reveal(byId("more"), unseen > 0);
  patch(byId("more"), t("and {count} more", { count: unseen }));
  reveal(byId("load-next"), latest.waiting.length > 0);
  reveal(byId("load-together"), latest.takes_several && latest.waiting.length > 0);
  const isAttended = people.length > 0;
  reveal(byId("attended"), loaded.length > 0 || isAttended);
  chip(byId("attended"), isAttended ? ATTENDED : UNATTENDED);
  renderStation(desk);
  renderClocks(desk);
}

function renderStation({ who }) {
  list(byId("people"), latest.people, {
    template: "signed-on", id: "id", key: "signOn",
    render: (node, one) => {
      node.dataset.person = one.person;
      const works = one.works_on.flatMap((work) => work.job_orders).join(", ");
      show(node, { what: one.person, since: [t("since {time}", { time: clock(one.signed_on_at) }), works].filter(Boolean).join(", ") });
    },
  });
  const isOn = latest.people.some((one) => one.person === who && one.run === null);
  reveal(byId("sign-on"), !isOn);
  list(byId("tools"), latest.tools, {
    template: "tool", id: "id", key: "tool",
    render: (node, one) => {
      const left = one.life_unit === "none" ? "" : t("{left} {unit} left", {
        left: String(Number(one.life) - Number(one.used)), unit: t(one.life_unit),
      });
      const state = one.state === "available" ? "" : `${t(one.state.replace("_", " "))} ${one.reason}`;
      show(node, { what: `${one.id} ${one.name}`, left: [left, state].filter(Boolean).join("; ") });
    },
  });
  const known = [...latest.loaded, ...latest.set_down, ...latest.waiting].map((one) => [one.id, title(one)]);
  items.alarms(byId("alarms"), latest.unit.alarms);
  reveal(byId("alarmed"), latest.unit.alarms.length > 0);
  items.unassigned(byId("unassigned"), latest.unassigned, () => [...known]);
  reveal(byId("counted"), latest.unassigned.length > 0);
}

function renderClocks({ now }) {
  for (const node of document.querySelectorAll("article[data-job-order]")) if (node.run !== undefined) renderClock(node, now);
}

const desk = new Desk({
  name: terminal.workUnit, read, render,
  stream: `work_center=${encodeURIComponent(terminal.workCenter)}`,
});

desk.onOpen = (panel) => {
  if (panel?.dataset.panel !== "bookings") return;
  panel.corrections ??= new Corrections(desk, panel);
  panel.corrections.show(panel.closest(".job").dataset.jobOrder);
};
const ended = correctionsByName(desk);
const carrier = new CarrierCard(desk);

setInterval(() => { if (latest !== null && !desk.isFingerDown) render(desk); }, 1000);

// ---- scanning ----

const nodeOf = (id) => document.querySelector(`[data-job-order="${CSS.escape(id)}"]`);

function goTo(node, panel, fill = () => {}) {
  if (panel !== undefined) {
    const opened = node.querySelector(`[data-panel=${panel}]`);
    for (const one of node.querySelectorAll("[data-panel]")) reveal(one, one === opened);
    fill(opened);
  }
  node.scrollIntoView({ block: "center" });
  node.focus();
}

async function onCode(code) {
  let found;
  try {
    const response = await fetch(`/api/v1/codes/${encodeURIComponent(code)}`, { cache: "no-store" });
    found = await response.json();
    if (isSerial(response, found) && goesWithSerials(code, found)) return;
    if (!response.ok) { desk.tell(t("Scanned: {code}", { code }), found.detail, found); return; }
  } catch {
    desk.tell(t("Scanned: {code}", { code }), t("The connection is lost: scan it again later."));
    return;
  }
  if (found.kind === "person") { desk.become(code); return; }
  if (found.kind === "tool") { scanTool(code); return; }
  if (found.kind === "job_order" && isNamedToCorrect(found.code)) return;
  if (found.kind === "carrier" || found.kind === "lot") {
    if (goesWithCarrier(found.code)) return;
    if (found.kind === "carrier") { scanCarrier(found); return; }
  }
  if (found.kind === "lot" && useComponent(found.code)) return;
  const here = found.job_orders.find((id) => nodeOf(id) !== null);
  if (here !== undefined) {
    const isLot = found.kind === "lot";
    goTo(nodeOf(here), isLot ? "lots" : undefined, (panel) => choose(panel.lot, `${found.code}|`));
    return;
  }
  const places = [...found.job_orders, ...found.places].join(", ");
  desk.tell(t("Scanned: {code}", { code }), t("{title} is not here: {places}", { title: found.title, places: places || t("nowhere") }));
}

// What is no name here yet may be printed on a piece; what is one of a lot is told as taken.
function isSerial({ ok, status }, { kind }) {
  return status === 404 || (ok && kind === "lot");
}

// Whoever stands in the panel of serials scans the labels of the pieces.
function goesWithSerials(code, found) {
  const form = document.activeElement?.closest("form[data-panel=serials]");
  if (!form) return false;
  if (choose(form.lot, `${found.code}|`)) form.lot.dispatchEvent(new Event("change", { bubbles: true }));
  else form.serials.value = `${form.serials.value} ${code}`.trim();
  form.serials.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
}

// Whoever stands in the field for it names the job order whose bookings are wrong.
function isNamedToCorrect(code) {
  const form = document.activeElement?.closest("#corrections form");
  if (!form?.job_order) return false;
  form.job_order.value = code;
  ended.show(code);
  return true;
}

function scanTool(code) {
  const measuring = document.querySelector("[data-panel=measure]:not([hidden]) [name=gauge]");
  if (measuring !== null) { measuring.value = code; measuring.focus(); return; }
  const isHere = latest?.tools.some((one) => one.id === code);
  const form = byId("mount");
  if (!isHere) form.tool.value = code;
  const node = isHere ? document.querySelector(`[data-tool="${CSS.escape(code)}"] button`) : form.querySelector("button");
  node.scrollIntoView({ block: "center" });
  node.focus();
}

// Whoever has scanned a carrier, and nothing else since, names what goes in or out.
function goesWithCarrier(code) {
  const form = byId("carrier");
  const named = form.carrier.value.trim();
  if (!named || named === code || !form.contains(document.activeElement)) return false;
  form.contents.value = `${form.contents.value} ${code}`.trim();
  return true;
}

function scanCarrier({ code, job_orders: jobOrders }) {
  const form = byId("carrier");
  form.reset();
  form.carrier.value = code;
  carrier.show(code);
  const isWaitedFor = jobOrders.some((id) => nodeOf(id) !== null);
  const next = form.querySelector(isWaitedFor ? "[data-do=load_carrier]" : "[data-do=pack]");
  next.scrollIntoView({ block: "center" });
  next.focus();
}

// A lot in stock that work on the machine may consume.
function useComponent(code) {
  const job = latest?.loaded.find((one) => one.components.some((part) => part.lots.some(({ lot }) => lot === code)));
  if (job === undefined) return false;
  goTo(nodeOf(job.id), "material", (panel) => { choose(panel.lot, code); panel.quantity.focus(); });
  return true;
}

function choose(select, start) {
  const option = [...select.options].find((one) => one.value.startsWith(start));
  if (option) select.value = option.value;
  return option !== undefined;
}

listenForScans(onCode);
byId("scan-form").addEventListener("submit", () => {
  const code = byId("scan").value.trim();
  byId("scan").value = "";
  if (code) onCode(code);
});
