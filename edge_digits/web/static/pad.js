// A square to draw one digit in: white strokes on black, by mouse, touch, pen or keys.

const PEN_SHARE = 0.075; // of the pad's side: the stroke of a thick pen in a digit that fills the pad
const KEY_STEP_SHARE = 0.025;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /** canvas: square. onChange: called after every change of what is drawn. */
  constructor(canvas, onChange = () => {}) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.strokes = []; // points [x, y] in pixels of the canvas, one list a stroke
    this.pen = canvas.getContext("2d");
    this.pointer = null;
    this.cursor = null; // of the keys, null while they are not used
    this.isDown = false;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.end(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => { this.cursor = null; this.isDown = false; this.paint(); });
    this.paint();
  }

  get isEmpty() { return this.strokes.length === 0; }

  clear() {
    this.strokes = [];
    this.isDown = false;
    this.changed();
  }

  undo() {
    this.strokes.pop();
    this.isDown = false;
    this.changed();
  }

  changed() {
    this.paint();
    this.onChange();
  }

  /** What is drawn, without the cursor of the keys, as a PNG. */
  async png() {
    const copy = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    this.paintStrokes(copy.getContext("2d"));
    return copy.convertToBlob({ type: "image/png" });
  }

  /** What is drawn, as ImageData. */
  pixels() {
    const copy = new OffscreenCanvas(this.canvas.width, this.canvas.height).getContext("2d");
    this.paintStrokes(copy);
    return copy.getImageData(0, 0, this.canvas.width, this.canvas.height);
  }

  paint() {
    this.paintStrokes(this.pen);
    if (!this.cursor) return;
    this.pen.fillStyle = this.isDown ? "#5fd39a" : "#ffb020";
    this.pen.beginPath();
    this.pen.arc(...this.cursor, 0.02 * this.canvas.width, 0, 2 * Math.PI);
    this.pen.fill();
  }

  paintStrokes(pen) {
    const side = this.canvas.width;
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, side, side);
    pen.strokeStyle = "#fff";
    pen.lineWidth = PEN_SHARE * side;
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of this.strokes) {
      pen.beginPath();
      stroke.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.1, stroke[0][1]);
      pen.stroke();
    }
  }

  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * this.canvas.width) / box.width, ((event.clientY - box.top) * this.canvas.height) / box.height];
  }

  begin(event) {
    if (this.pointer !== null || event.button > 0) return;
    this.pointer = event.pointerId;
    this.cursor = null;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push([this.pointOf(event)]);
    this.changed();
  }

  move(event) {
    if (event.pointerId !== this.pointer || this.isEmpty) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const each of events.length ? events : [event]) this.strokes.at(-1).push(this.pointOf(each));
    this.changed();
  }

  end(event) {
    if (event.pointerId === this.pointer) this.pointer = null;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const side = this.canvas.width;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = KEY_STEP_SHARE * side * (event.shiftKey ? 3 : 1);
      const from = this.cursor || [side / 2, side / 4];
      this.cursor = from.map((value, axis) => Math.min(side, Math.max(0, value + step * arrow[axis])));
      if (this.isDown) {
        this.strokes.at(-1).push([...this.cursor]);
        this.changed();
      } else this.paint();
    } else if (event.key === "Enter" && this.cursor) {
      this.isDown = !this.isDown;
      if (this.isDown) this.strokes.push([[...this.cursor]]);
      this.changed();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
