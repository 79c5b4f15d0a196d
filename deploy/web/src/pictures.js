// Grey pictures {width, height, data: Uint8Array} and what OpenCV does with them, to the last bit.
//
// The tile rule multiplies levels and rounds places, so that a difference of one level here may move a whole tile: sums
// are made in single precision (Math.fround) and rounded as OpenCV does (modules/imgproc/src/resize.cpp, morph.dispatch.cpp).

const { fround } = Math;

export function picture(width, height, data = new Uint8Array(width * height)) {
  return { width, height, data };
}

/** To the nearest whole number, halves to the even one, as Python and OpenCV do. */
export function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

const toByte = (value) => Math.min(255, Math.max(0, roundHalfEven(value)));

/** cv2.convertScaleAbs(ink, alpha=factor). */
export function scaleLevels(ink, factor) {
  const by = fround(factor);
  return picture(ink.width, ink.height, ink.data.map((level) => toByte(fround(level * by))));
}

/** cv2.copyMakeBorder with zeros on all sides. */
export function pad(ink, margin) {
  const padded = picture(ink.width + 2 * margin, ink.height + 2 * margin);
  for (let y = 0; y < ink.height; y += 1) {
    padded.data.set(ink.data.subarray(y * ink.width, (y + 1) * ink.width), (y + margin) * padded.width + margin);
  }
  return padded;
}

/** cv2.dilate with a square of ones; its anchor is the pixel at side / 2, rounded down. */
export function dilate(ink, side) {
  const anchor = side >> 1;
  const along = (from, length, stride, lines, lineStride) => {
    const to = new Uint8Array(from.length);
    for (let line = 0; line < lines; line += 1) {
      for (let at = 0; at < length; at += 1) {
        let most = 0;
        const last = Math.min(length - 1, at - anchor + side - 1);
        for (let near = Math.max(0, at - anchor); near <= last; near += 1) most = Math.max(most, from[line * lineStride + near * stride]);
        to[line * lineStride + at * stride] = most;
      }
    }
    return to;
  };
  const { width, height } = ink;
  return picture(width, height, along(along(ink.data, width, 1, height, width), height, width, width, 1));
}

/** cv2.resize with INTER_AREA, to a size that is not larger on either side. */
export function shrink(ink, width, height) {
  const scaleX = 1 / (width / ink.width);
  const scaleY = 1 / (height / ink.height);
  const isWhole = (scale) => Math.abs(scale - Math.round(scale)) < Number.EPSILON;
  if (isWhole(scaleX) && isWhole(scaleY)) return shrinkWhole(ink, width, height, Math.round(scaleX), Math.round(scaleY));
  const columns = shares(ink.width, width, scaleX);
  const rows = shares(ink.height, height, scaleY);
  const small = picture(width, height);
  rows.forEach((row, y) => {
    const sums = new Float32Array(width);
    for (const { from, share: rowShare } of row) {
      const line = ink.data.subarray(from * ink.width, (from + 1) * ink.width);
      columns.forEach((column, x) => {
        let sum = 0;
        for (const { from: at, share } of column) sum = fround(sum + fround(line[at] * share));
        sums[x] = fround(sums[x] + fround(rowShare * sum));
      });
    }
    sums.forEach((sum, x) => { small.data[y * width + x] = toByte(sum); });
  });
  return small;
}

/** What each new pixel takes of which old ones, along one side. */
function shares(oldSide, newSide, scale) {
  return Array.from({ length: newSide }, (_, index) => {
    const begin = index * scale;
    const end = begin + scale;
    const whole = Math.min(scale, oldSide - begin);
    const last = Math.min(Math.floor(end), oldSide - 1);
    const first = Math.min(Math.ceil(begin), last);
    const taken = [];
    if (first - begin > 1e-3) taken.push({ from: first - 1, share: fround((first - begin) / whole) });
    for (let from = first; from < last; from += 1) taken.push({ from, share: fround(1 / whole) });
    if (end - last > 1e-3) taken.push({ from: last, share: fround(Math.min(Math.min(end - last, 1), whole) / whole) });
    return taken;
  });
}

function shrinkWhole(ink, width, height, timesX, timesY) {
  const small = picture(width, height);
  const factor = fround(1 / (timesX * timesY));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let dy = 0; dy < timesY; dy += 1) {
        for (let dx = 0; dx < timesX; dx += 1) sum += ink.data[(y * timesY + dy) * ink.width + x * timesX + dx];
      }
      // Blocks of two by two have a way of their own, which rounds halves up.
      small.data[y * width + x] = timesX === 2 && timesY === 2 ? (sum + 2) >> 2 : toByte(fround(sum * factor));
    }
  }
  return small;
}

const COEFFICIENT_BITS = 11;
const ONE = 1 << COEFFICIENT_BITS;

/** cv2.resize with INTER_LINEAR, in fixed point, to a size that is not smaller on either side. */
export function enlarge(ink, width, height) {
  const columns = neighbours(ink.width, width, true);
  const rows = neighbours(ink.height, height, false);
  const large = picture(width, height);
  const lineOf = (y) => {
    const line = ink.data.subarray(y * ink.width, (y + 1) * ink.width);
    return columns.map(({ first, second, weights }) => line[first] * weights[0] + line[second] * weights[1]);
  };
  const lines = Array.from({ length: ink.height }, (_, y) => lineOf(y));
  rows.forEach(({ first, second, weights }, y) => {
    for (let x = 0; x < width; x += 1) {
      const above = (weights[0] * (lines[first][x] >> 4)) >> 16;
      const below = (weights[1] * (lines[second][x] >> 4)) >> 16;
      large.data[y * width + x] = (above + below + 2) >> 2;
    }
  });
  return large;
}

function neighbours(oldSide, newSide, clampsWeight) {
  const scale = 1 / (newSide / oldSide);
  return Array.from({ length: newSide }, (_, index) => {
    const place = fround((index + 0.5) * scale - 0.5);
    let first = Math.floor(place);
    let rest = fround(place - first);
    if (clampsWeight && first < 0) [first, rest] = [0, 0];
    if (clampsWeight && first >= oldSide - 1) [first, rest] = [oldSide - 1, 0];
    const within = (at) => Math.min(oldSide - 1, Math.max(0, at));
    const weights = [roundHalfEven(fround(fround(1 - rest) * ONE)), roundHalfEven(fround(rest * ONE))];
    return { first: within(first), second: within(first + 1), weights };
  });
}
