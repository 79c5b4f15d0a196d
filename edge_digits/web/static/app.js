// The page of `edge-digits serve`: draws on a canvas and asks /tile while drawing, sends pages to /read and marks what was read.
"use strict";

const byId = (id) => document.getElementById(id);
const PEN_SHARE = 0.075; // of the pad's side: the stroke of a thick pen in a digit that fills the pad
const LARGEST_SHOWN_PX = 1600;
const SURE = 0.95;
const COLOURS = { sure: "#28a03c", doubtful: "#ff8c00", unsure: "#dc2828" };

// The token comes once in the address; it is kept for this tab and taken out of sight and out of the history.
const address = new URL(location.href);
let token = address.searchParams.get("token");
try {
  token = token || sessionStorage.getItem("token") || "";
  if (token) sessionStorage.setItem("token", token);
} catch { token = token || ""; } // storage may be switched off
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

async function ask(path, body) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let answer;
  try {
    answer = await fetch(path, body ? { method: "POST", body, headers } : { headers });
  } catch {
    throw new Error("The server does not answer. Is `edge-digits serve` still running?");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error ? value.error.message : `The server answered ${answer.status}.`);
  return value;
}

function alertOf(error) {
  byId("alert").hidden = !error;
  byId("alert").textContent = error ? error.message : "";
}

// ---- drawing

const pad = byId("pad");
const pen = pad.getContext("2d");
let strokes = [];
let pending = false; // one question at a time; the newest drawing is asked for when the answer is there
let changed = false;

const bars = Array.from({ length: 11 }, (_, label) => {
  const row = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("progress");
  const share = document.createElement("output");
  name.textContent = label < 10 ? String(label) : "none";
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", label < 10 ? `Probability of ${label}` : "Probability that it is not one digit");
  row.append(name, bar, share);
  byId("bars").append(row);
  return { bar, share };
});

function paint() {
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, pad.width, pad.height);
  pen.strokeStyle = pen.fillStyle = "#fff";
  pen.lineWidth = PEN_SHARE * pad.width;
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.1, stroke[0][1]);
    pen.stroke();
  }
}

function redraw() {
  paint();
  changed = true;
  judge();
}

async function judge() {
  if (pending || !changed) return;
  pending = true;
  changed = false;
  try {
    if (!strokes.length) show(null);
    else {
      const picture = await new Promise((done) => pad.toBlob(done, "image/png"));
      const tile = await ask("tile", picture);
      show(strokes.length ? tile : null);
    }
    alertOf(null);
  } catch (error) {
    alertOf(error);
  }
  pending = false;
  if (changed) judge();
}

function show(tile) {
  const ink = tile && tile.ink;
  byId("drawn").textContent = ink ? (tile.digit === null ? "?" : String(tile.digit)) : "\u00a0";
  bars.forEach(({ bar, share }, label) => {
    const p = ink ? tile.probabilities[label] : 0;
    bar.value = p;
    share.textContent = ink ? `${(100 * p).toFixed(p > 0.1 ? 0 : 1)} %` : "";
  });
}

function clearPad() {
  strokes = [];
  redraw();
}

function undo() {
  strokes.pop();
  redraw();
}

function pointOf(event) {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
}

let drawingPointer = null;
pad.addEventListener("pointerdown", (event) => {
  if (drawingPointer !== null || event.button > 0) return;
  drawingPointer = event.pointerId;
  pad.setPointerCapture(event.pointerId);
  strokes.push([pointOf(event)]);
  redraw();
});
pad.addEventListener("pointermove", (event) => {
  if (event.pointerId !== drawingPointer || !strokes.length) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) strokes[strokes.length - 1].push(pointOf(each));
  redraw();
});
for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, (event) => {
    if (event.pointerId === drawingPointer) drawingPointer = null;
  });
}
byId("clear").addEventListener("click", clearPad);
byId("undo").addEventListener("click", undo);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button, input, label")) return;
  if (event.key === " ") clearPad();
  else if (event.key === "z" || event.key === "Z") undo();
  else return;
  event.preventDefault();
});

// ---- pages

async function readPage(file) {
  alertOf(null);
  byId("result").hidden = true;
  byId("progress").textContent = "Reading\u2026";
  try {
    const reading = await ask("read", file);
    await mark(file, reading);
    byId("text").textContent = reading.lines.map((line) => line.text).join("\n") || "(no digits found)";
    const count = reading.lines.reduce((sum, line) => sum + line.numbers.reduce((n, number) => n + number.digits.length, 0), 0);
    byId("details").textContent =
      `${count} digits, ${reading.width}\u00d7${reading.height} pixels, ${Math.round(reading.elapsed_ms.total ?? 0)} ms. ` +
      "Green: sure, orange: doubtful, red: unsure.";
    byId("result").hidden = false;
    byId("progress").textContent = "";
  } catch (error) {
    byId("progress").textContent = "";
    alertOf(error);
  }
}

async function mark(file, reading) {
  const canvas = byId("picture");
  const scale = Math.min(1, LARGEST_SHOWN_PX / Math.max(reading.width, reading.height));
  canvas.width = Math.max(1, Math.round(reading.width * scale));
  canvas.height = Math.max(1, Math.round(reading.height * scale));
  const over = canvas.getContext("2d");
  over.fillStyle = "#fff";
  over.fillRect(0, 0, canvas.width, canvas.height);
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    over.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
  } catch { /* a TIFF or PDF, which this browser cannot draw: the boxes stand on white */ }
  for (const line of reading.lines) for (const number of line.numbers) for (const digit of number.digits) box(over, digit, scale);
}

function box(over, digit, scale) {
  const [x, y, width, height] = digit.box.map((v) => v * scale);
  const size = Math.max(12, Math.min(48, height * 0.6));
  over.strokeStyle = over.fillStyle = digit.digit === null ? COLOURS.unsure : digit.confidence >= SURE ? COLOURS.sure : COLOURS.doubtful;
  over.lineWidth = Math.max(1, over.canvas.width / 700);
  over.strokeRect(x, y, width, height);
  over.font = `600 ${size}px system-ui, sans-serif`;
  over.textAlign = "center";
  over.fillText(digit.digit === null ? "?" : String(digit.digit), x + width / 2, y > size + 4 ? y - 4 : y + height + size);
}

byId("file").addEventListener("change", (event) => {
  if (event.target.files.length) readPage(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});
// A picture dropped beside the field would replace the page: the whole window takes it.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) readPage(event.dataTransfer.files[0]);
  });
}

paint();
show(null);
ask("health")
  .then((health) => { byId("model").textContent = `Model ${health.model.name} (${health.model.precision}), ${health.provider}, edge-digits ${health.version}`; })
  .catch(alertOf);
