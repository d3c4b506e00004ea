// A scanner types a code faster than any person, and ends it with Enter. A burst is told
// by the times of the keys themselves, not by when we get to see them; it reaches neither
// the field that has the focus nor the button.

const GAP_MS = 40;
const FEWEST = 3;

export function listenForScans(onCode) {
  let burst = "";
  let last = 0;
  let first = null; // The field that had the focus, and what it said before.
  let given = 0; // How much of the burst the field has after all.
  let waiting = 0;

  function begin({ key, target }) {
    const isField = target.matches?.("input, textarea, select");
    first = isField ? { field: target, value: target.value } : null;
    burst = key;
    given = 1; // The browser itself puts the first one in.
  }

  // It was a scan: what came into the field is undone.
  function undo() {
    if (first === null) return;
    first.field.value = first.value;
    first.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // It was somebody who types fast, as far as we know: what was kept back is put in.
  function giveBack() {
    clearTimeout(waiting);
    if (first === null || given >= burst.length) return;
    const { field } = first;
    const end = field.selectionEnd ?? field.value.length;
    field.setRangeText?.(burst.slice(given), end, end, "end");
    given = burst.length;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function keepBack(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isFast = burst !== "" && event.timeStamp - last <= GAP_MS;
    if (event.key === "Enter") {
      if (isFast && burst.length >= FEWEST) {
        keepBack(event);
        clearTimeout(waiting);
        undo();
        onCode(burst.trim());
      } else {
        giveBack();
      }
      burst = "";
    } else if (event.key.length === 1) {
      if (isFast) {
        keepBack(event);
        burst += event.key;
      } else {
        giveBack();
        begin(event);
      }
      last = event.timeStamp;
      clearTimeout(waiting);
      waiting = setTimeout(giveBack, 4 * GAP_MS);
    }
  }, true);
}
