// Fits the last layer to one hand. The same as edge_digits/personal/head.py, step by step; method and sources are there.

import { DIGITS, softmax } from "./classifier.js";
import { dot, invert } from "./matrices.js";

const STEPS = 60;
const MEMORY = 8;
const SHORTEST_STEP = 1e-4;
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

/** The shipped head itself, for rows of so many features. */
const noDifference = (size) => ({ weights: Array.from({ length: size }, () => new Float32Array(DIGITS)), bias: new Float32Array(DIGITS) });

/** own, reserve: {logits, features}, rows. labels: of the own rows. options: {strength, reserveWeight, temperature}. start: what is pulled to. */
export function fitHead(own, labels, reserve, { strength, reserveWeight, temperature }, start = noDifference(reserve.features[0].length)) {
  const scale = typicalNorm(reserve.features);
  const rows = [...own.features, ...reserve.features];
  const count = own.logits.length;
  const size = rows[0].length + 1; // the last input is one, for the bias
  const inputs = new Float64Array(rows.length * size).fill(1);
  rows.forEach((row, at) => row.forEach((value, k) => { inputs[at * size + k] = value / scale; }));
  const logits = new Float64Array(rows.length * DIGITS);
  const wanted = new Float64Array(rows.length * DIGITS);
  const begun = [...applyDifference(start, own.logits, own.features), ...applyDifference(start, reserve.logits, reserve.features)];
  begun.forEach((row, at) => {
    logits.set(row.map((value) => value / temperature), at * DIGITS);
    if (at < count) wanted[at * DIGITS + labels[at]] = 1;
    else wanted.set(softmax(Float64Array.from(reserve.logits[at - count].subarray(0, DIGITS), (value) => value / temperature)), at * DIGITS);
  });
  const share = Float64Array.from(rows, (_, at) => (at < count ? 1 / Math.max(1, count) : reserveWeight / Math.max(1, reserve.logits.length)));
  const moved = minimise({ inputs, logits, wanted, share, size, strength });
  const row = (k, factor, from) => Float32Array.from(moved.subarray(k * DIGITS, (k + 1) * DIGITS), (value, digit) => Math.fround(value * factor) + from[digit]);
  return {
    weights: Array.from({ length: size - 1 }, (_, k) => row(k, temperature / scale, start.weights[k])),
    bias: row(size - 1, temperature, start.bias),
  };
}

// Matrices lie row by row in one array: the steps below take most of the time.

function minimise(problem) {
  const { size } = problem;
  const inverse = invert(curvature(problem)).map((row) => Float64Array.from(row));
  const steps = [];
  let now = new Float64Array(size * DIGITS);
  let { loss, slope } = lossAndSlope(problem, now);
  for (let step = 0; step < STEPS; step += 1) {
    const ahead = scaled(slope, steps, inverse).map((value) => -value);
    const down = dot(ahead, slope);
    let length = 1;
    let tried;
    let after;
    for (;;) {
      tried = now.map((value, at) => value + length * ahead[at]);
      after = lossAndSlope(problem, tried);
      if (after.loss <= loss + 1e-4 * length * down || length < SHORTEST_STEP) break;
      length *= 0.5;
    }
    if (after.loss >= loss) break;
    const change = tried.map((value, at) => value - now[at]);
    const bend = after.slope.map((value, at) => value - slope[at]);
    if (dot(change, bend) > 0) steps.push({ change, bend });
    if (steps.length > MEMORY) steps.shift();
    now = tried;
    ({ loss, slope } = after);
    if (change.reduce((most, value) => Math.max(most, Math.abs(value)), 0) < CONVERGED) break;
  }
  return now;
}

/** The slope times an estimate of the inverse curvature: the two loops over the last steps. */
function scaled(slope, steps, inverse) {
  const along = [];
  let direction = Float64Array.from(slope);
  for (const { change, bend } of [...steps].reverse()) {
    const share = dot(change, direction) / dot(change, bend);
    direction.forEach((value, at) => { direction[at] = value - share * bend[at]; });
    along.unshift(share);
  }
  const turned = new Float64Array(direction.length);
  for (let i = 0; i < inverse.length; i += 1) {
    for (let j = 0; j < inverse.length; j += 1) {
      for (let d = 0; d < DIGITS; d += 1) turned[i * DIGITS + d] += inverse[i][j] * direction[j * DIGITS + d];
    }
  }
  direction = turned;
  steps.forEach(({ change, bend }, index) => {
    const more = along[index] - dot(bend, direction) / dot(change, bend);
    direction.forEach((value, at) => { direction[at] = value + more * change[at]; });
  });
  return direction;
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

function lossAndSlope({ inputs, logits, wanted, share, size, strength }, head) {
  const slope = head.map((value) => strength * value);
  const scores = new Float64Array(DIGITS);
  let loss = 0.5 * strength * dot(head, head);
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
    for (let d = 0; d < DIGITS; d += 1) sum += Math.exp(scores[d] - largest);
    const level = largest + Math.log(sum);
    for (let d = 0; d < DIGITS; d += 1) {
      const likely = scores[d] - level;
      loss -= share[at] * wanted[from + d] * likely;
      scores[d] = (Math.exp(likely) - wanted[from + d]) * share[at];
    }
    for (let i = 0; i < size; i += 1) {
      const input = inputs[place + i];
      if (input) for (let d = 0; d < DIGITS; d += 1) slope[i * DIGITS + d] += input * scores[d];
    }
  }
  return { loss, slope };
}

function typicalNorm(features) {
  const squares = features.map((row) => row.reduce((sum, value) => sum + value * value, 0));
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length) || 1;
}
