// Draws a reading over its picture: green sure, orange doubtful, red unsure.

const LARGEST_SHOWN_PX = 1600;
export const SURE = 0.95;
const COLOURS = { sure: "#28a03c", doubtful: "#ff8c00", unsure: "#dc2828" };

export const isDoubtful = (digit) => digit.digit === null || digit.confidence < SURE;
export const digitsOf = (reading) => reading.lines.flatMap((line) => line.numbers.flatMap((number) => number.digits));
export const textOf = (reading) =>
  reading.lines.map((line) => line.numbers.map((number) => number.text).filter(Boolean).join(" ")).filter(Boolean).join("\n");

/** picture: what drawImage takes, of any size, or null for a white page. */
export function mark(canvas, picture, reading) {
  const scale = Math.min(1, LARGEST_SHOWN_PX / Math.max(reading.width, reading.height));
  canvas.width = Math.max(1, Math.round(reading.width * scale));
  canvas.height = Math.max(1, Math.round(reading.height * scale));
  const over = canvas.getContext("2d");
  over.fillStyle = "#fff";
  over.fillRect(0, 0, canvas.width, canvas.height);
  if (picture) over.drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (const digit of digitsOf(reading)) box(over, digit, scale);
}

function box(over, digit, scale) {
  const [x, y, width, height] = digit.box.map((v) => v * scale);
  const size = Math.max(12, Math.min(48, height * 0.6));
  over.strokeStyle = over.fillStyle = digit.digit === null ? COLOURS.unsure : isDoubtful(digit) ? COLOURS.doubtful : COLOURS.sure;
  over.lineWidth = Math.max(1, over.canvas.width / 700);
  over.strokeRect(x, y, width, height);
  over.font = `600 ${size}px system-ui, sans-serif`;
  over.textAlign = "center";
  over.fillText(digit.digit === null ? "?" : String(digit.digit), x + width / 2, y > size + 4 ? y - 4 : y + height + size);
}
