// Fits the last layer to one hand. The same as edge_digits/personal/head.py, step by step; method and sources are there.

import { DIGITS, softmax } from "./classifier.js";

const STEPS = 300;
const CONVERGED = 1e-3;

/** The difference adds to a row of logits: features @ weights + bias. weights: rows of 10, one a feature. */
export function applyDifference({ weights, bias }, logits, features) {
  return logits.map((row, index) => {
    const changed = Float64Array.from(row.subarray(0, DIGITS), (value, digit) => value + bias[digit]);
    features[index].forEach((feature, k) => { for (let d = 0; d < DIGITS; d += 1) changed[d] += feature * weights[k][d]; });
    return changed;
  });
}

/** Logits of all eleven labels, "not one digit" as probable as before (recognition/adapted.py: shift_digits). */
export function shiftDigits(row, changed, temperature) {
  const logSumExp = (values) => {
    const largest = Math.max(...values);
    return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  };
  const before = Array.from(row.subarray(0, DIGITS), (value) => value / temperature);
  const after = Array.from(changed, (value) => value / temperature);
  const level = logSumExp(before) - logSumExp(after);
  return Float64Array.from([...after.map((value) => temperature * (value + level)), row[DIGITS]]);
}

/** own, reserve: {logits, features}, rows. labels: of the own rows. options: {strength, reserveWeight, temperature}. */
export function fitHead(own, labels, reserve, { strength, reserveWeight, temperature }) {
  const scale = typicalNorm(reserve.features);
  const rows = [...own.features, ...reserve.features];
  const count = own.logits.length;
  const size = rows[0].length + 1; // the last input is one, for the bias
  const inputs = new Float64Array(rows.length * size).fill(1);
  rows.forEach((row, at) => row.forEach((value, k) => { inputs[at * size + k] = value / scale; }));
  const logits = new Float64Array(rows.length * DIGITS);
  const wanted = new Float64Array(rows.length * DIGITS);
  [...own.logits, ...reserve.logits].forEach((row, at) => {
    const digits = Float64Array.from(row.subarray(0, DIGITS), (value) => value / temperature);
    logits.set(digits, at * DIGITS);
    if (at < count) wanted[at * DIGITS + labels[at]] = 1;
    else wanted.set(softmax(digits), at * DIGITS);
  });
  const share = Float64Array.from(rows, (_, at) => (at < count ? 1 / Math.max(1, count) : reserveWeight / Math.max(1, reserve.logits.length)));
  const moved = minimise({ inputs, logits, wanted, share, size, strength });
  const row = (k, factor) => Float32Array.from(moved.subarray(k * DIGITS, (k + 1) * DIGITS), (value) => value * factor);
  return { weights: Array.from({ length: size - 1 }, (_, k) => row(k, temperature / scale)), bias: row(size - 1, temperature) };
}

// Matrices lie row by row in one array: the steps below take most of the time.

function minimise(problem) {
  const { size } = problem;
  const inverse = invert(curvature(problem)).map((row) => Float64Array.from(row));
  let now = new Float64Array(size * DIGITS);
  let ahead = now;
  let momentum = 1;
  for (let step = 0; step < STEPS; step += 1) {
    const slope = slopeOf(problem, ahead);
    const following = 0.5 * (1 + Math.sqrt(1 + 4 * momentum ** 2));
    const next = Float64Array.from(ahead);
    for (let i = 0; i < size; i += 1) {
      for (let j = 0; j < size; j += 1) {
        for (let d = 0; d < DIGITS; d += 1) next[i * DIGITS + d] -= inverse[i][j] * slope[j * DIGITS + d];
      }
    }
    let most = 0;
    const further = new Float64Array(next.length);
    for (let at = 0; at < next.length; at += 1) {
      const change = next[at] - now[at];
      most = Math.max(most, Math.abs(change));
      further[at] = next[at] + ((momentum - 1) / following) * change;
    }
    ahead = further;
    now = next;
    momentum = following;
    if (most < CONVERGED) break;
  }
  return now;
}

function curvature({ inputs, share, size, strength }) {
  const bound = Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (__, j) => (i === j ? strength : 0)));
  for (let at = 0; at < share.length; at += 1) {
    for (let i = 0; i < size; i += 1) {
      const part = 0.5 * share[at] * inputs[at * size + i];
      if (part) for (let j = 0; j < size; j += 1) bound[i][j] += part * inputs[at * size + j];
    }
  }
  return bound;
}

function slopeOf({ inputs, logits, wanted, share, size, strength }, head) {
  const slope = head.map((value) => strength * value);
  const scores = new Float64Array(DIGITS);
  for (let at = 0; at < share.length; at += 1) {
    const [from, place] = [at * DIGITS, at * size];
    for (let d = 0; d < DIGITS; d += 1) scores[d] = logits[from + d];
    for (let i = 0; i < size; i += 1) {
      const input = inputs[place + i];
      if (input) for (let d = 0; d < DIGITS; d += 1) scores[d] += input * head[i * DIGITS + d];
    }
    let largest = -Infinity;
    for (let d = 0; d < DIGITS; d += 1) largest = Math.max(largest, scores[d]);
    let sum = 0;
    for (let d = 0; d < DIGITS; d += 1) sum += scores[d] = Math.exp(scores[d] - largest);
    for (let d = 0; d < DIGITS; d += 1) scores[d] = (scores[d] / sum - wanted[from + d]) * share[at];
    for (let i = 0; i < size; i += 1) {
      const input = inputs[place + i];
      if (input) for (let d = 0; d < DIGITS; d += 1) slope[i * DIGITS + d] += input * scores[d];
    }
  }
  return slope;
}

/** Gauss-Jordan with the largest pivot; the matrix is positive definite. */
function invert(matrix) {
  const size = matrix.length;
  const rows = matrix.map((row, i) => Float64Array.from({ length: 2 * size }, (_, j) => (j < size ? row[j] : Number(j - size === i))));
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const by = 1 / rows[column][column];
    rows[column] = rows[column].map((value) => value * by);
    for (let row = 0; row < size; row += 1) {
      const times = rows[row][column];
      if (row !== column && times) for (let j = column; j < 2 * size; j += 1) rows[row][j] -= times * rows[column][j];
    }
  }
  return rows.map((row) => row.subarray(size));
}

function typicalNorm(features) {
  const squares = features.map((row) => row.reduce((sum, value) => sum + value * value, 0));
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length) || 1;
}
