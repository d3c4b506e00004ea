// Accounting periods: up to when the books are closed, and what is open of the days until one.

import { Desk } from "/static/desk.js";
import { word } from "/static/effects.js";
import * as items from "/static/items.js";
import { LOOK_OF_JOB, toldOf } from "/static/looks.js";
import { byId, list, patch, reveal, show, texts } from "/static/showing.js";
import { day, t } from "/static/words.js";

const close = byId("close");
let books = null;
let history = [];
let open = null;

async function read(desk) {
  const until = close.last_day.value;
  [books, history, open] = await Promise.all([
    desk.json("/api/v1/books"),
    desk.json("/api/v1/books/closings"),
    desk.json(`/api/v1/books/open-items${until && `?until=${until}`}`),
  ]);
  if (!close.last_day.value) close.last_day.value = open.until;
  desk.looking.again(`${books.at} ${open.postings.length}`);
}

function toldOfBooks(one) {
  if (one.closed_until === null) return t("No day is closed.");
  return t("Closed until {day}, open from {first} on", { day: one.closed_until, first: one.first_open });
}

const saidBy = (one) => t("{time}, by {person}: {why}", { time: day(one.at), person: one.person, why: one.reason });

function amountsOf(one) {
  const some = ["good", "scrap"].filter((name) => one[name] !== "0").map((name) => `${one[name]} ${t(name)}`);
  return some.join(", ") || t("time");
}

function render() {
  if (books === null) return;
  patch(byId("books"), [toldOfBooks(books), books.at === null ? "" : saidBy(books)].filter(Boolean).join("; "));
  patch(byId("open-title"), t("Open of the days until {day}", { day: open.until }));
  texts(byId("against"), open.against.map(toldOf));
  list(byId("postings"), open.postings, {
    template: "posting", id: "key", key: "posting",
    render: (node, one) => {
      const sign = one.reverses === null ? "" : `${t("taken back")}: `;
      show(node, {
        what: `${one.business_date} ${one.stream} ${one.step}, ${one.job_order}: ${sign}${amountsOf(one)}`,
        why: [word(one.state), one.reason].filter(Boolean).join(": "),
      });
      reveal(node.querySelector("[data-reveal]"), one.state === "held" || one.state === "parked");
      reveal(node.querySelector("[data-do=release_posting]"), one.state === "held");
      reveal(node.querySelector("[data-do=retry_posting]"), one.state === "parked");
    },
  });
  reveal(byId("more"), open.has_more);
  texts(byId("unposted"), open.unposted.map((one) => t("{job} at operation {step}: {amounts} is reported, and not posted yet", {
    job: one.job_order, step: one.step, amounts: amountsOf(one),
  })));
  items.unassigned(byId("unassigned"), open.unassigned);
  reveal(byId("nothing-open"), !open.postings.length && !open.unposted.length && !open.unassigned.length);
  texts(byId("history"), history.map((one) => `${toldOfBooks(one)}; ${saidBy(one)}`));
  reveal(byId("no-history"), history.length === 0);
}

const TYPES = ["books_closed", "posting_raised", "posting_moved", "production_unassigned", "production_settled"];
const desk = new Desk({
  name: "periods", read, render, stream: TYPES.map((type) => `type=${type}`).join("&"),
});
close.last_day.addEventListener("change", () => desk.refresh());
