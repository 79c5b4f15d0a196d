// The section that reads a digit while it is drawn.

import { alertOf, byId, isForControl, make } from "./elements.js";
import { Pad } from "./pad.js";

const LEAST_PAUSE_MS = 40; // between two questions: fast enough to feel live, slow enough for a small machine

const bars = Array.from({ length: 11 }, (_, label) => {
  const bar = make("progress", { max: 1, value: 0 });
  const share = make("output");
  bar.setAttribute("aria-label", label < 10 ? `Probability of ${label}` : "Probability that it is not one digit");
  return { row: make("li", {}, make("span", { textContent: label < 10 ? String(label) : "none" }), bar, share), bar, share };
});

function show(tile) {
  const ink = tile && tile.ink;
  byId("drawn").textContent = ink ? (tile.digit === null ? "?" : String(tile.digit)) : "\u00a0";
  bars.forEach(({ bar, share }, label) => {
    const p = ink ? tile.probabilities[label] : 0;
    bar.value = p;
    share.textContent = ink ? `${(100 * p).toFixed(p > 0.1 ? 0 : 1)} %` : "";
  });
}

/** engine: what judges drawings. Returns a function that judges again, after the model has changed. */
export function startDrawing(engine) {
  let pending = false; // one question at a time; the newest drawing is asked for when the answer is there
  let changed = false;
  const pad = new Pad(byId("pad"), () => { changed = true; judge(); });
  byId("bars").append(...bars.map(({ row }) => row));

  async function judge() {
    if (pending || !changed) return;
    pending = true;
    changed = false;
    const pause = new Promise((done) => { setTimeout(done, LEAST_PAUSE_MS); });
    try {
      if (pad.isEmpty) show(null);
      else {
        const tile = await engine.judge(pad);
        show(pad.isEmpty ? null : tile);
      }
      alertOf(null);
    } catch (error) {
      alertOf(error);
    }
    await pause;
    pending = false;
    judge();
  }

  byId("clear").addEventListener("click", () => pad.clear());
  byId("undo").addEventListener("click", () => pad.undo());
  document.addEventListener("keydown", (event) => {
    // Other sections have keys of their own while the focus is in them.
    if (isForControl(event) || event.target.closest("[data-keys]")) return;
    if (event.key === " ") pad.clear();
    else if (event.key === "z" || event.key === "Z") pad.undo();
    else return;
    event.preventDefault();
  });
  show(null);
  return () => { changed = true; judge(); };
}
