// Jittered copies of a person's digits. The same as edge_digits/personal/jitter.py, where the reasons are; pixels between
// pixels are mixed in floating point here, in steps of a 32nd there, so that a copy may differ by a level or two.

import { picture } from "./pictures.js";
import { TILE_SIDE, makeTile } from "./tiles.js";

const SCALE = 4;
const JITTERS = [[10, 0, 1.1], [-10, 0, 1 / 1.1], [0, 0.22, 1], [0, -0.22, 1], [5, 0.1, 1.2], [-5, -0.1, 1 / 1.2]]; // degrees, shear, widening
const MOST_ROWS = 2000;

/** How many copies of each of so many samples are made; always pairs. */
export const copiesOf = (count) => Math.min(JITTERS.length, 2 * Math.max(0, (Math.floor(MOST_ROWS / Math.max(1, count)) - 1) >> 1));

/** One copy of a tile (Uint8Array of 784 levels, ink 255). jitter: index into JITTERS. */
export function jittered(tile, jitter) {
  const [degrees, shear, widening] = JITTERS[jitter];
  const turn = (degrees * Math.PI) / 180;
  const [wide, high] = [Math.sqrt(widening), 1 / Math.sqrt(widening)];
  const a = SCALE * Math.cos(turn) * wide;
  const b = SCALE * (Math.cos(turn) * shear - Math.sin(turn) * high);
  const c = SCALE * Math.sin(turn) * wide;
  const d = SCALE * (Math.sin(turn) * shear + Math.cos(turn) * high);
  const whole = a * d - b * c;
  const side = SCALE * TILE_SIDE;
  const [middle, centre] = [(TILE_SIDE - 1) / 2, (side - 1) / 2];
  const level = (x, y) => (x < 0 || y < 0 || x >= TILE_SIDE || y >= TILE_SIDE ? 0 : tile[y * TILE_SIDE + x]);
  const large = picture(side, side);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const [right, down] = [x - centre, y - centre];
      const fromX = middle + (d * right - b * down) / whole;
      const fromY = middle + (a * down - c * right) / whole;
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [partX, partY] = [fromX - left, fromY - top];
      const above = level(left, top) * (1 - partX) + level(left + 1, top) * partX;
      const below = level(left, top + 1) * (1 - partX) + level(left + 1, top + 1) * partX;
      large.data[y * side + x] = Math.round(above * (1 - partY) + below * partY);
    }
  }
  return makeTile(large).data;
}
