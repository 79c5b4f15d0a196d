// Doubtful digits one after the other: a key or a tap says what each is; the text follows, and the hand is learned.

import { byId, guarded, isForControl, make } from "./elements.js";
import { isDoubtful } from "./overlay.js";

const MARGIN_SHARE = 0.35; // of the digit's longer side, around it
const NO_DIGIT = "";

/** Puts `mark` in the place of the digit of that index in a number's text. */
function replaceDigit(text, index, mark) {
  let at = -1;
  return text.replace(/[0-9?]/g, (was) => ((at += 1) === index ? mark : was));
}

/** onCorrected: called when the reading has changed. */
export function startReview(engine, onCorrected) {
  let items = [];
  let done = []; // {item, before, undo} for Back
  let at = 0;
  let picture = null;
  let reading = null;
  let last = Promise.resolve(); // answers are taken one after the other, however fast they come
  const area = byId("review");
  area.dataset.keys = "review";
  const buttons = Array.from({ length: 10 }, (_, digit) => {
    const button = make("button", { type: "button", textContent: String(digit) });
    button.addEventListener("click", guarded(() => inTurn(() => answer(digit))));
    return button;
  });
  byId("review-digits").append(...buttons);

  function inTurn(action) {
    const mine = items; // what was meant for a page that is gone is dropped
    const done = last.then(() => (items === mine ? action() : undefined));
    last = done.catch(() => {}); // told by whoever asked
    return done;
  }

  function open(newReading, newPicture) {
    reading = newReading;
    picture = newPicture;
    items = reading.lines.flatMap((line) => line.numbers.flatMap((number) =>
      number.digits.map((digit, index) => ({ number, digit, index })).filter((item) => isDoubtful(item.digit))));
    items.sort((a, b) => a.digit.confidence - b.digit.confidence);
    done = [];
    at = 0;
    area.hidden = items.length === 0;
    show();
  }

  function show() {
    const item = items[at];
    byId("review-one").hidden = !item;
    byId("review-state").textContent = item
      ? `${at + 1} of ${items.length}, in the number ${item.number.text || "(taken out)"}`
      : `All ${items.length} looked at.`;
    if (!item) return;
    const { digit, confidence, candidates } = item.digit;
    const guesses = (candidates || [{ digit, confidence }]).filter((c) => c.digit !== null);
    byId("review-guess").textContent = `Seen as ${guesses.map((c) => `${c.digit} (${Math.round(100 * c.confidence)} %)`).join(", ")}`;
    buttons.forEach((button, value) => {
      button.setAttribute("aria-pressed", String(value === digit));
      button.classList.toggle("guess", guesses.some((c) => c.digit === value));
    });
    drawCrop(byId("review-crop"), item.digit.box);
  }

  function around([x, y, width, height]) {
    const side = Math.max(width, height);
    const margin = MARGIN_SHARE * side;
    return [x + width / 2 - side / 2 - margin, y + height / 2 - side / 2 - margin, side + 2 * margin];
  }

  function drawCrop(canvas, box) {
    const [left, top, side] = around(box);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const scale = picture.width / reading.width; // a picture that came back may be smaller than the page
    pen.drawImage(picture, left * scale, top * scale, side * scale, side * scale, 0, 0, canvas.width, canvas.height);
  }

  /** The digit's own pixels with paper around them, and where in them it is. */
  async function cut(box) {
    const scale = picture.width / reading.width;
    const [left, top, side] = around(box).map((v) => Math.round(v * scale));
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    const [right, bottom] = [Math.min(picture.width, left + side), Math.min(picture.height, top + side)];
    const crop = new OffscreenCanvas(Math.max(1, right - x), Math.max(1, bottom - y));
    crop.getContext("2d").drawImage(picture, -x, -y);
    const [bx, by, bw, bh] = box.map((v) => Math.round(v * scale));
    return { blob: await crop.convertToBlob({ type: "image/png" }), box: [bx - x, by - y, bw, bh] };
  }

  async function answer(value) {
    const item = items[at];
    if (!item) return;
    const before = { text: item.number.text, digit: { ...item.digit } };
    const entry = { item, before, stored: false };
    if (value !== NO_DIGIT && engine.can.learn) {
      const { blob, box } = await cut(item.digit.box);
      await engine.correct(value, blob, box, item.digit.digit);
      entry.stored = true;
    }
    item.number.text = replaceDigit(item.number.text, item.index, value === NO_DIGIT ? "\u2400" : String(value));
    Object.assign(item.digit, { digit: value === NO_DIGIT ? null : value, confidence: 1 });
    delete item.digit.candidates;
    forgetRemoved(item.number);
    done.push(entry);
    at += 1;
    onCorrected();
    show();
    focusHere();
  }

  /** A digit that is none leaves its number; the digits behind it keep their places in `items`. */
  function forgetRemoved(number) {
    if (!number.text.includes("\u2400")) return;
    const gone = items[at];
    number.text = number.text.replace("\u2400", "");
    number.digits = number.digits.filter((digit) => digit !== gone.digit);
    for (const item of items) if (item.number === number && item.index > gone.index) item.index -= 1;
  }

  async function back() {
    const entry = done.pop();
    if (!entry) {
      at = Math.max(0, at - 1);
      show();
      return;
    }
    if (entry.stored) await engine.uncorrect();
    const { item, before } = entry;
    if (!item.number.digits.includes(item.digit)) {
      item.number.digits.splice(item.index, 0, item.digit);
      for (const other of items) if (other.number === item.number && other !== item && other.index >= item.index) other.index += 1;
    }
    item.number.text = before.text;
    Object.assign(item.digit, before.digit);
    at = items.indexOf(item);
    onCorrected();
    show();
    focusHere();
  }

  function skip() {
    at = Math.min(items.length, at + 1);
    show();
  }

  function focusHere() {
    // After a tap the focus stays on a button, where keys work as well; only a lost one is brought back.
    if (!area.contains(document.activeElement)) byId("review-title").focus();
  }

  byId("review-none").addEventListener("click", guarded(() => inTurn(() => answer(NO_DIGIT))));
  byId("review-back").addEventListener("click", guarded(() => inTurn(back)));
  byId("review-skip").addEventListener("click", guarded(() => inTurn(skip)));
  document.addEventListener("keydown", guarded(async (event) => {
    if (area.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!area.contains(event.target) && (isForControl(event) || event.target.closest("[data-keys]"))) return;
    const key = event.key.toLowerCase();
    if (!/^[0-9ns]$/.test(key) && !(key === "z" && area.contains(event.target))) return;
    event.preventDefault();
    if (event.repeat) return;
    if (key === "n") await inTurn(() => answer(NO_DIGIT));
    else if (key === "s") await inTurn(skip);
    else if (key === "z") await inTurn(back);
    else await inTurn(() => answer(Number(key)));
  }));

  return { open, close: () => { area.hidden = true; items = []; } };
}
