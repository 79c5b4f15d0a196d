// Nearest class mean with shrinkage. The same as edge_digits/personal/class_means.py, where method and sources are.

import { DIGITS } from "./classifier.js";
import { invert } from "./matrices.js";

const PRIOR_SAMPLES = 10;
const TRUST = 0.1;
const COVARIANCE_SHRINKAGE = 0.1;

/** The difference of heads between one person's class means and those of all hands. features: rows; labels: 0 to 9. */
export function shiftOfMeans(features, labels, reserveFeatures, reserveLabels, temperature) {
  const size = reserveFeatures[0].length;
  const means = Array.from({ length: DIGITS }, (_, digit) => {
    const rows = reserveFeatures.filter((__, at) => reserveLabels[at] === digit);
    return sumOf(rows, size).map((sum) => sum / rows.length);
  });
  const precision = invert(covarianceOf(reserveFeatures, reserveLabels, means, size));
  const moved = means.map((mean, digit) => {
    const mine = features.filter((_, at) => labels[at] === digit);
    return mine.length ? sumOf(mine, size).map((sum, k) => (sum + PRIOR_SAMPLES * mean[k]) / (mine.length + PRIOR_SAMPLES)) : mean;
  });
  const [own, shipped] = [discriminant(moved, precision), discriminant(means, precision)];
  const scale = TRUST * temperature;
  return {
    weights: own.weights.map((row, k) => Float32Array.from(row, (value, digit) => scale * (value - shipped.weights[k][digit]))),
    bias: Float32Array.from(own.bias, (value, digit) => scale * (value - shipped.bias[digit])),
  };
}

function sumOf(rows, size) {
  const sum = new Float64Array(size);
  for (const row of rows) for (let k = 0; k < size; k += 1) sum[k] += row[k];
  return sum;
}

function covarianceOf(features, labels, means, size) {
  const covariance = Array.from({ length: size }, () => new Float64Array(size));
  features.forEach((row, at) => {
    const spread = row.map((value, k) => value - means[labels[at]][k]);
    for (let i = 0; i < size; i += 1) for (let j = 0; j < size; j += 1) covariance[i][j] += (spread[i] * spread[j]) / features.length;
  });
  const round = covariance.reduce((sum, row, k) => sum + row[k], 0) / size;
  return covariance.map((row, i) => row.map((value, j) => (1 - COVARIANCE_SHRINKAGE) * value + (i === j ? COVARIANCE_SHRINKAGE * round : 0)));
}

/** Weights, a row a feature, and bias of log-densities around means. */
function discriminant(means, precision) {
  const columns = means.map((mean) => precision.map((row) => row.reduce((sum, value, k) => sum + value * mean[k], 0)));
  return {
    weights: precision.map((_, k) => columns.map((column) => column[k])),
    bias: columns.map((column, digit) => -0.5 * column.reduce((sum, value, k) => sum + value * means[digit][k], 0)),
  };
}
