// A scanner types a code faster than any person, and ends it with Enter. A burst is told
// by the times of the keys themselves, not by when we get to see them; it reaches neither
// the field that has the focus nor the button.

const GAP_MS = 40;
const FEWEST = 3;

export function listenForScans(onCode) {
  let burst = "";
  let last = 0;
  let first = null;

  function begin(event) {
    burst = event.key;
    const { target } = event;
    const isField = target.matches?.("input, textarea, select");
    first = isField ? { field: target, value: target.value, at: target.selectionStart } : null;
  }

  // What the first key of a burst did to the field is undone.
  function undo() {
    if (first === null) return;
    first.field.value = first.value;
    first.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // It was only somebody who types fast: what was kept back comes into the field.
  function giveBack() {
    if (first === null || burst.length < 2) return;
    const { field } = first;
    const end = field.selectionEnd ?? field.value.length;
    field.setRangeText?.(burst.slice(1), end, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  let settling = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isFast = event.timeStamp - last <= GAP_MS;
    if (event.key === "Enter") {
      clearTimeout(settling);
      if (isFast && burst.length >= FEWEST) {
        event.preventDefault();
        event.stopPropagation();
        undo();
        onCode(burst.trim());
      } else {
        giveBack();
      }
      burst = "";
      last = 0;
    } else if (event.key.length === 1) {
      clearTimeout(settling);
      if (isFast && burst) {
        event.preventDefault();
        event.stopPropagation();
        burst += event.key;
      } else {
        giveBack();
        begin(event);
      }
      last = event.timeStamp;
      settling = setTimeout(() => { giveBack(); burst = ""; }, 4 * GAP_MS);
    }
  }, true);
}
