// Decides whether an adapted head is better. The same as edge_digits/personal/adaptation.py; the reasons are there.

import { bestDigit, softmax } from "./classifier.js";
import { applyDifference } from "./head.js";
import { METHODS, fitBy, take, takeOwn } from "./methods.js";

const FOLDS = 5;
const FEWEST_SAMPLES = 10;
const LARGEST_RESERVE_DROP = 0.2;
const LARGEST_OWN_ERROR = 0.5;

const pause = () => new Promise((done) => { setTimeout(done); }); // the page stays alive while it learns
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = (value) => Number(value.toFixed(4));

export const countErrors = (rows, labels) => rows.filter((row, at) => bestDigit(row) !== labels[at]).length;

const logLosses = (rows, labels, temperature) =>
  rows.map((row, at) => -Math.log(Math.max(1e-12, softmax(row.subarray(0, 10), temperature)[labels[at]])));

/** Fold of each sample: every digit is dealt out evenly, in its own order. */
function foldsOf(labels, folds) {
  const fold = new Array(labels.length);
  let dealt = 0;
  for (let digit = 0; digit < 10; digit += 1) labels.forEach((label, at) => { if (label === digit) fold[at] = dealt++ % folds; });
  return fold;
}

const dropsTooMuch = (before, after, count) => 100 * (after - before) > LARGEST_RESERVE_DROP * count;

/**
 * The method with the fewest cross-validated own errors, then the least loss, among those that keep the reserve. No guard yet.
 * own: {outputs, labels, copies}. kept: {outputs, labels}. Returns {difference, figures}.
 */
export async function chooseHead(own, kept, temperature) {
  const started = performance.now();
  const { outputs: { logits }, labels } = own;
  const folds = Math.min(FOLDS, labels.length);
  const lossBefore = logLosses(logits, labels, temperature);
  const keptBefore = countErrors(kept.outputs.logits, kept.labels);
  const trials = [];
  for (const method of METHODS) trials.push({ method, ...(await crossValidate(own, kept, method, temperature, folds)) });
  trials.sort((a, b) => a.errors - b.errors || mean(a.losses) - mean(b.losses));
  const { method, errors, losses, keptAfter } = await firstThatKeeps(trials, own, kept, temperature);
  const gains = lossBefore.map((loss, at) => loss - losses[at]);
  const gain = mean(gains);
  const figures = {
    samples: labels.length,
    folds,
    own_errors_before: countErrors(logits, labels),
    own_errors_after: errors,
    own_loss_before: rounded(mean(lossBefore)),
    own_loss_after: rounded(mean(losses)),
    own_loss_gain_error: rounded(Math.sqrt(mean(gains.map((each) => (each - gain) ** 2)) / gains.length)),
    reserve_tiles: kept.labels.length,
    reserve_errors_before: keptBefore,
    reserve_errors_after: keptAfter,
    method: method.name,
    strength: method.strength,
    reserve_weight: method.reserveWeight,
  };
  const difference = fitBy(method, own, kept, temperature);
  return { difference, figures: { ...figures, seconds: Number(((performance.now() - started) / 1000).toFixed(3)) } };
}

/** Fits the head to a person's digits. Throws when there are too few, or when the guard does not hold. */
export async function adapt(own, kept, temperature) {
  const count = own.labels.length;
  if (count < FEWEST_SAMPLES) throw new Error(`${count} samples are too few to check that learning helps; give at least ${FEWEST_SAMPLES}`);
  const chosen = await chooseHead(own, kept, temperature);
  requireBetter(chosen.figures);
  return chosen;
}

async function crossValidate(own, kept, method, temperature, folds) {
  const fold = foldsOf(own.labels, folds);
  const rows = new Array(own.labels.length);
  for (let out = 0; out < folds; out += 1) {
    const learned = fitBy(method, takeOwn(own, (at) => fold[at] !== out), kept, temperature);
    const held = own.labels.map((_, at) => at).filter((at) => fold[at] === out);
    const { logits, features } = take(own.outputs, (at) => fold[at] === out);
    const changed = applyDifference(learned, logits, features);
    held.forEach((at, index) => { rows[at] = changed[index]; });
    await pause();
  }
  return { errors: countErrors(rows, own.labels), losses: logLosses(rows, own.labels, temperature) };
}

/** The best of the trials, best first, that keeps the reserve; where none does, the one that harms least. */
async function firstThatKeeps(trials, own, kept, temperature) {
  const before = countErrors(kept.outputs.logits, kept.labels);
  const judged = [];
  for (const trial of trials) {
    judged.push({ ...trial, keptAfter: await reserveErrors(own, kept, trial.method, temperature) });
    if (!dropsTooMuch(before, judged.at(-1).keptAfter, kept.labels.length)) return judged.at(-1);
  }
  return judged.reduce((best, each) => (each.keptAfter < best.keptAfter ? each : best));
}

/** Errors on each half of the reserve of a head that learned with the other half alone. */
async function reserveErrors(own, kept, method, temperature) {
  const half = Math.floor(kept.labels.length / 2);
  let errors = 0;
  for (const isIn of [(at) => at < half, (at) => at >= half]) {
    const others = { outputs: take(kept.outputs, (at) => !isIn(at)), labels: kept.labels.filter((_, at) => !isIn(at)) };
    const learned = fitBy(method, own, others, temperature);
    const part = take(kept.outputs, isIn);
    errors += countErrors(applyDifference(learned, part.logits, part.features), kept.labels.filter((_, at) => isIn(at)));
    await pause();
  }
  return errors;
}

function requireBetter(figures) {
  const { own_errors_before: before, own_errors_after: after } = figures;
  const gain = figures.own_loss_before - figures.own_loss_after;
  const reasons = [];
  if (after > before) reasons.push("own digits would be read worse");
  else if (after === before && !(gain > figures.own_loss_gain_error)) {
    reasons.push("the shipped model reads this hand as well, and what it would gain in sureness may be chance");
  }
  if (after > LARGEST_OWN_ERROR * figures.samples) reasons.push("most own digits would still be read as others, so the labels cannot be right");
  if (dropsTooMuch(figures.reserve_errors_before, figures.reserve_errors_after, figures.reserve_tiles)) reasons.push("other hands would be read worse");
  if (reasons.length) {
    throw new Error(
      `Not adapted, because ${reasons.join(" and ")}: own errors ${before} \u2192 ${after} of ${figures.samples}, ` +
      `other hands ${figures.reserve_errors_before} \u2192 ${figures.reserve_errors_after} of ${figures.reserve_tiles}. Nothing was changed.`,
    );
  }
}
