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
  const inputs = [...own.features, ...reserve.features].map((row) => Float64Array.from([...row, 0], (v, at) => (at < row.length ? v / scale : 1)));
  const logits = [...own.logits, ...reserve.logits].map((row) => Float64Array.from(row.subarray(0, DIGITS), (value) => value / temperature));
  const count = own.logits.length;
  const wanted = logits.map((row, at) => (at < count ? Float64Array.from(row, (_, digit) => Number(digit === labels[at])) : softmax(row)));
  const share = inputs.map((_, at) => (at < count ? 1 / Math.max(1, count) : reserveWeight / Math.max(1, reserve.logits.length)));
  const moved = minimise(inputs, logits, wanted, share, strength);
  return {
    weights: moved.slice(0, -1).map((row) => Float32Array.from(row, (value) => (value * temperature) / scale)),
    bias: Float32Array.from(moved.at(-1), (value) => value * temperature),
  };
}

function minimise(inputs, logits, wanted, share, strength) {
  const size = inputs[0].length;
  const zeros = () => Array.from({ length: size }, () => new Float64Array(DIGITS));
  const inverse = invert(curvature(inputs, share, strength));
  let now = zeros();
  let ahead = zeros();
  let momentum = 1;
  for (let step = 0; step < STEPS; step += 1) {
    const slope = slopeOf(inputs, logits, wanted, share, ahead, strength);
    const following = 0.5 * (1 + Math.sqrt(1 + 4 * momentum ** 2));
    const next = zeros();
    let most = 0;
    for (let i = 0; i < size; i += 1) {
      for (let d = 0; d < DIGITS; d += 1) {
        let moved = 0;
        for (let j = 0; j < size; j += 1) moved += inverse[i][j] * slope[j][d];
        next[i][d] = ahead[i][d] - moved;
        most = Math.max(most, Math.abs(next[i][d] - now[i][d]));
      }
    }
    ahead = next.map((row, i) => row.map((value, d) => value + ((momentum - 1) / following) * (value - now[i][d])));
    now = next;
    momentum = following;
    if (most < CONVERGED) break;
  }
  return now;
}

function curvature(inputs, share, strength) {
  const size = inputs[0].length;
  const bound = Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (__, j) => (i === j ? strength : 0)));
  inputs.forEach((row, at) => {
    for (let i = 0; i < size; i += 1) {
      const part = 0.5 * share[at] * row[i];
      if (part) for (let j = 0; j < size; j += 1) bound[i][j] += part * row[j];
    }
  });
  return bound;
}

function slopeOf(inputs, logits, wanted, share, head, strength) {
  const slope = head.map((row) => row.map((value) => strength * value));
  const scores = new Float64Array(DIGITS);
  inputs.forEach((row, at) => {
    scores.set(logits[at]);
    for (let i = 0; i < row.length; i += 1) if (row[i]) for (let d = 0; d < DIGITS; d += 1) scores[d] += row[i] * head[i][d];
    const error = softmax(scores).map((value, d) => (value - wanted[at][d]) * share[at]);
    for (let i = 0; i < row.length; i += 1) if (row[i]) for (let d = 0; d < DIGITS; d += 1) slope[i][d] += row[i] * error[d];
  });
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
