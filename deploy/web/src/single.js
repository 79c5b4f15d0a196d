// One glyph from a picture that holds one digit. The same as edge_digits/paper/single.py, step by step; the reasons are there.

import { dilate, picture, roundHalfEven, scaleLevels, shrink } from "./pictures.js";

const LARGEST_SIDE = 512;
const SMALL_SIDE = 64;
const BORDER_SHARE = 1 / 12;
const SPECK_SHARE = 0.03;
const EDGE_SHARE = 0.25;
const FULL_LEVEL = 0.8;
export const FAINTEST_INK = 14; // as in edge_digits/paper/ink.py

/** ImageData (RGBA) to grey, with OpenCV's weights in fixed point; what is transparent lies on black. */
export function greyOf({ width, height, data }) {
  const grey = picture(width, height);
  for (let at = 0; at < grey.data.length; at += 1) {
    grey.data[at] = (data[4 * at + 2] * 3735 + data[4 * at + 1] * 19235 + data[4 * at] * 9798 + 16384) >> 15;
  }
  return grey;
}

/** grey: a picture, any polarity. Returns the glyph, ink up to 255, paper 0; all zero without ink. */
export function findSingleGlyph(grey) {
  const scale = LARGEST_SIDE / Math.max(grey.width, grey.height);
  const side = (length) => Math.max(1, roundHalfEven(length * scale));
  const fitting = scale < 1 ? shrink(grey, side(grey.width), side(grey.height)) : grey;
  const darkness = darknessOf(darkOnLight(fitting));
  const { width, height } = darkness;
  const threshold = Math.max(otsu(darkness.data), FAINTEST_INK);
  const strong = darkness.data.filter((level) => level > threshold);
  if (strong.length === 0) return picture(width, height);
  const level = quantile(strong, FULL_LEVEL);
  const edge = Math.max(EDGE_SHARE * level, FAINTEST_INK);
  let mask = picture(width, height, written(darkness, edge));
  if (Math.max(width, height) <= SMALL_SIDE) mask = dilate(mask, 3);
  const full = scaleLevels(darkness, 255 / level);
  return picture(width, height, full.data.map((value, at) => (mask.data[at] ? value : 0)));
}

/** Value below which this share of the levels lies, straight between two where it falls between them. */
function quantile(levels, share) {
  const sorted = Uint8Array.from(levels).sort();
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  const [from, to, rest] = [sorted[low], sorted[high], place - low];
  return rest < 0.5 ? from + (to - from) * rest : to - (to - from) * (1 - rest); // as numpy does it
}

function borderIndexes({ width, height }) {
  const depth = Math.max(1, roundHalfEven(Math.min(width, height) * BORDER_SHARE));
  const inside = (x, y) => x >= depth && y >= depth && x < width - depth && y < height - depth;
  const found = [];
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) if (!inside(x, y)) found.push(y * width + x);
  return found;
}

function darkOnLight(grey) {
  const paper = quantile(borderIndexes(grey).map((at) => grey.data[at]), 0.5);
  const [darkest, brightest] = [quantile(grey.data, 0.02), quantile(grey.data, 0.98)];
  if (brightest - paper <= paper - darkest) return grey;
  return picture(grey.width, grey.height, grey.data.map((level) => 255 - level));
}

/** 255 * (1 - grey / paper), the paper's brightness being a plane through the border, strokes at the border left out. */
function darknessOf(grey) {
  const { width, data } = grey;
  const border = borderIndexes(grey);
  const least = quantile(border.map((at) => data[at]), 0.5) - FAINTEST_INK;
  const plane = fitPlane(border.filter((at) => data[at] >= least).map((at) => [Math.floor(at / width), at % width, data[at]]));
  return picture(width, grey.height, data.map((level, at) => {
    const paper = plane(Math.floor(at / width), at % width);
    return Math.trunc(Math.min(255, Math.max(0, 255 * (1 - (level + 1) / (Math.min(255, Math.max(0, paper)) + 1)))));
  }));
}

/** Least squares for value = a + b * row + c * column; places are centred first, which keeps the equations well posed. */
function fitPlane(points) {
  const mean = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  let [rr, rc, cc, rv, cv] = [0, 0, 0, 0, 0];
  for (const point of points) {
    const [row, column, value] = point.map((v, axis) => v - mean[axis]);
    rr += row * row;
    rc += row * column;
    cc += column * column;
    rv += row * value;
    cv += column * value;
  }
  const determinant = rr * cc - rc * rc;
  const isPlane = Math.abs(determinant) > 1e-9 * Math.max(1, rr * cc);
  const byRow = isPlane ? (cc * rv - rc * cv) / determinant : rr ? rv / rr : 0;
  const byColumn = isPlane ? (rr * cv - rc * rv) / determinant : !rr && cc ? cv / cc : 0;
  return (row, column) => mean[2] + byRow * (row - mean[0]) + byColumn * (column - mean[1]);
}

/** Otsu's threshold of 256 levels, as OpenCV finds it. */
function otsu(levels) {
  const counts = new Float64Array(256);
  for (const level of levels) counts[level] += 1;
  const share = 1 / levels.length;
  const mean = counts.reduce((sum, count, level) => sum + count * level, 0) * share;
  let [below, meanBelow, best, threshold] = [0, 0, 0, 0];
  for (let level = 0; level < 256; level += 1) {
    const here = counts[level] * share;
    meanBelow *= below;
    below += here;
    const above = 1 - below;
    if (Math.min(below, above) < 1.1920929e-7 || Math.max(below, above) > 1 - 1.1920929e-7) continue;
    meanBelow = (meanBelow + level * here) / below;
    const meanAbove = (mean - below * meanBelow) / above;
    const between = below * above * (meanBelow - meanAbove) ** 2;
    if (between > best) [best, threshold] = [between, level];
  }
  return threshold;
}

/** Strokes without dust and without what reaches in from outside: 255 where kept. */
function written({ width, height, data }, edge) {
  const isInk = data.map((level) => (level > edge ? 1 : 0));
  const { labels, pieces } = components(isInk, width, height);
  const kept = new Uint8Array(data.length);
  if (pieces.length === 0) return kept;
  const mostOf = (values) => values.reduce((best, value, at) => (value > values[best] ? at : best), 0);
  const areas = pieces.map((piece) => piece.area);
  const inner = pieces.map((piece) => (piece.atEdge ? 0 : piece.area));
  const [largestInner, largestOfAll] = [mostOf(inner), mostOf(areas)];
  const largest = inner[largestInner] >= SPECK_SHARE * areas[largestOfAll] ? largestInner : largestOfAll;
  const keep = pieces.map((piece, at) => at === largest || (piece.area >= SPECK_SHARE * areas[largest] && !piece.atEdge));
  labels.forEach((label, at) => { if (label && keep[label - 1]) kept[at] = 255; });
  return kept;
}

/** Pieces of ink that hang together over edges and corners, in the order in which rows are read. */
function components(isInk, width, height) {
  const labels = new Int32Array(isInk.length);
  const pieces = [];
  for (let start = 0; start < isInk.length; start += 1) {
    if (!isInk[start] || labels[start]) continue;
    const piece = { area: 0, atEdge: false };
    pieces.push(piece);
    const open = [start];
    labels[start] = pieces.length;
    while (open.length) {
      const at = open.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      piece.area += 1;
      piece.atEdge ||= x === 0 || y === 0 || x === width - 1 || y === height - 1;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny += 1) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx += 1) {
          const near = ny * width + nx;
          if (isInk[near] && !labels[near]) {
            labels[near] = pieces.length;
            open.push(near);
          }
        }
      }
    }
  }
  return { labels, pieces };
}
