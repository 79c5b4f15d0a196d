// The MNIST rule in the browser: how a glyph becomes a 28x28 tile. The rule itself, with its reasons and its source, is
// edge_digits/paper/tiles.py; this is the same step by step, held to it by golden vectors (tests/paper/golden_tiles.npz).

import { dilate, enlarge, pad, picture, roundHalfEven, scaleLevels, shrink } from "./pictures.js";

export const TILE_SIDE = 28;
const BOX_SIDE = 20;
const THINNEST_STROKE = 1.8;
const PAPER_LEVEL = 16;

/** glyph: {width, height, data: Uint8Array}, ink 255, paper 0. Returns a picture of 28x28; all zero without ink. */
export function makeTile(glyph) {
  const tile = picture(TILE_SIDE, TILE_SIDE);
  const ink = cropToInk(glyph);
  if (!ink) return tile;
  let small = resizeToBox(thickenHairlines(ink));
  if (!small.data.some(Boolean)) return tile;
  small = toFullContrast(small);
  const [left, top] = placeByMass(small);
  for (let y = 0; y < small.height; y += 1) {
    tile.data.set(small.data.subarray(y * small.width, (y + 1) * small.width), (top + y) * TILE_SIDE + left);
  }
  return tile;
}

/** Tiles as the model takes them: one Float32Array of n * 784 values, ink 1, paper 0. tiles: Uint8Arrays of 784 levels. */
export function asModelInput(tiles) {
  const input = new Float32Array(tiles.length * TILE_SIDE * TILE_SIDE);
  const unit = Math.fround(1 / 255);
  tiles.forEach((tile, index) => {
    for (let at = 0; at < tile.length; at += 1) input[index * tile.length + at] = tile[at] * unit;
  });
  return input;
}

function cropToInk(glyph) {
  let [left, top, right, bottom] = [glyph.width, glyph.height, -1, -1];
  for (let y = 0; y < glyph.height; y += 1) {
    for (let x = 0; x < glyph.width; x += 1) {
      if (glyph.data[y * glyph.width + x] < PAPER_LEVEL) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  const ink = picture(right - left + 1, bottom - top + 1);
  for (let y = 0; y < ink.height; y += 1) {
    for (let x = 0; x < ink.width; x += 1) {
      const level = glyph.data[(top + y) * glyph.width + left + x];
      ink.data[y * ink.width + x] = level >= PAPER_LEVEL ? level : 0;
    }
  }
  return ink;
}

function toFullContrast(ink) {
  const darkest = ink.data.reduce((most, level) => Math.max(most, level), 0);
  return darkest === 255 ? ink : scaleLevels(ink, 255 / darkest);
}

/** Twice the ink's area over the length of its outline, which is counted in pixel edges. */
function strokeWidth(ink) {
  const isInk = (x, y) => x >= 0 && y >= 0 && x < ink.width && y < ink.height && ink.data[y * ink.width + x] > 127;
  let area = 0;
  let edges = 0;
  for (let y = 0; y <= ink.height; y += 1) {
    for (let x = 0; x <= ink.width; x += 1) {
      const here = isInk(x, y);
      area += here;
      edges += (here !== isInk(x - 1, y)) + (here !== isInk(x, y - 1));
    }
  }
  return area === 0 ? 0 : (2 * area) / ((edges * Math.PI) / 4);
}

function thickenHairlines(ink) {
  const scale = BOX_SIDE / Math.max(ink.width, ink.height);
  if (scale >= 1) return ink;
  const growth = Math.trunc(THINNEST_STROKE / scale - strokeWidth(toFullContrast(ink)));
  return growth < 1 ? ink : dilate(pad(ink, (growth >> 1) + 1), growth + 1);
}

function resizeToBox(ink) {
  const scale = BOX_SIDE / Math.max(ink.width, ink.height);
  if (scale === 1) return ink;
  const side = (length) => Math.max(1, roundHalfEven(length * scale));
  return (scale < 1 ? shrink : enlarge)(ink, side(ink.width), side(ink.height));
}

/** Left and top of the box that brings the centre of mass nearest pixel 14, kept inside the tile. */
function placeByMass(small) {
  let [total, sumX, sumY] = [0, 0, 0];
  small.data.forEach((level, at) => {
    total += level;
    sumX += level * (at % small.width);
    sumY += level * Math.floor(at / small.width);
  });
  const corner = (sum, side) => Math.min(Math.max(roundHalfEven(TILE_SIDE / 2 - sum / total), 0), TILE_SIDE - side);
  return [corner(sumX, small.width), corner(sumY, small.height)];
}
