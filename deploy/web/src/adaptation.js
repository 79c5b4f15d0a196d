// Decides whether an adapted head is better. The same as edge_digits/personal/adaptation.py; the reasons are there.

import { bestDigit, softmax } from "./classifier.js";
import { applyDifference, fitHead } from "./head.js";

const CANDIDATES = [[0.003, 1], [0.003, 4], [0.003, 16], [0.1, 4]]; // strength, reserve weight
const FOLDS = 5;
const FEWEST_SAMPLES = 10;
const LARGEST_RESERVE_DROP = 0.2;
const LARGEST_OWN_ERROR = 0.5;

const take = ({ logits, features }, keep) => ({ logits: logits.filter((_, at) => keep(at)), features: features.filter((_, at) => keep(at)) });
const pause = () => new Promise((done) => { setTimeout(done); }); // the page stays alive while it learns

export const countErrors = (rows, labels) => rows.filter((row, at) => bestDigit(row) !== labels[at]).length;

function logLoss(rows, labels, temperature) {
  const losses = rows.map((row, at) => -Math.log(Math.max(1e-12, softmax(row.subarray(0, 10), temperature)[labels[at]])));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Fold of each sample: every digit is dealt out evenly, in its own order. */
function foldsOf(labels, folds) {
  const fold = new Array(labels.length);
  let dealt = 0;
  for (let digit = 0; digit < 10; digit += 1) labels.forEach((label, at) => { if (label === digit) fold[at] = dealt++ % folds; });
  return fold;
}

const dropsTooMuch = (before, after, count) => 100 * (after - before) > LARGEST_RESERVE_DROP * count;

/** own, kept: {logits, features} of own samples and of the reserve. Returns {difference, figures}. Throws when the guard fails. */
export async function adapt(own, labels, kept, keptLabels, temperature) {
  if (labels.length < FEWEST_SAMPLES) throw new Error(`${labels.length} samples are too few to check that learning helps; give at least ${FEWEST_SAMPLES}`);
  const started = performance.now();
  const folds = Math.min(FOLDS, labels.length);
  const keptBefore = countErrors(kept.logits, keptLabels);
  const judged = [];
  for (const [strength, reserveWeight] of CANDIDATES) {
    const options = { strength, reserveWeight, temperature };
    judged.push({ options, keptAfter: await reserveErrors(own, labels, kept, keptLabels, options) });
  }
  let keeping = judged.filter(({ keptAfter }) => !dropsTooMuch(keptBefore, keptAfter, keptLabels.length));
  if (keeping.length === 0) keeping = [judged.reduce((best, each) => (each.keptAfter < best.keptAfter ? each : best))];
  for (const candidate of keeping) Object.assign(candidate, await crossValidate(own, labels, kept, candidate.options, folds));
  const best = keeping.reduce((a, b) => (b.errors < a.errors || (b.errors === a.errors && b.loss < a.loss) ? b : a));
  const difference = fitHead(own, labels, kept, best.options);
  const figures = {
    samples: labels.length,
    folds,
    own_errors_before: countErrors(own.logits, labels),
    own_errors_after: best.errors,
    own_loss_before: Number(logLoss(own.logits, labels, temperature).toFixed(4)),
    own_loss_after: Number(best.loss.toFixed(4)),
    reserve_tiles: keptLabels.length,
    reserve_errors_before: keptBefore,
    reserve_errors_after: best.keptAfter,
    strength: best.options.strength,
    reserve_weight: best.options.reserveWeight,
    seconds: Number(((performance.now() - started) / 1000).toFixed(3)),
  };
  requireBetter(figures);
  return { difference, figures };
}

async function crossValidate(own, labels, kept, options, folds) {
  const fold = foldsOf(labels, folds);
  const rows = new Array(labels.length);
  for (let out = 0; out < folds; out += 1) {
    const isIn = (at) => fold[at] !== out;
    const learned = fitHead(take(own, isIn), labels.filter((_, at) => isIn(at)), kept, options);
    const held = labels.map((_, at) => at).filter((at) => !isIn(at));
    const changed = applyDifference(learned, held.map((at) => own.logits[at]), held.map((at) => own.features[at]));
    held.forEach((at, index) => { rows[at] = changed[index]; });
    await pause();
  }
  return { errors: countErrors(rows, labels), loss: logLoss(rows, labels, options.temperature) };
}

async function reserveErrors(own, labels, kept, keptLabels, options) {
  const half = Math.floor(keptLabels.length / 2);
  let errors = 0;
  for (const isIn of [(at) => at < half, (at) => at >= half]) {
    const learned = fitHead(own, labels, take(kept, (at) => !isIn(at)), options);
    const part = take(kept, isIn);
    errors += countErrors(applyDifference(learned, part.logits, part.features), keptLabels.filter((_, at) => isIn(at)));
    await pause();
  }
  return errors;
}

function requireBetter(figures) {
  const { own_errors_before: before, own_errors_after: after } = figures;
  const reasons = [];
  if (after > before) reasons.push("own digits would be read worse");
  else if (after === before && figures.own_loss_after > figures.own_loss_before) reasons.push("the shipped model reads this hand as well, and is surer of it");
  if (after > LARGEST_OWN_ERROR * figures.samples) reasons.push("most own digits would still be read as others, so the labels cannot be right");
  if (dropsTooMuch(figures.reserve_errors_before, figures.reserve_errors_after, figures.reserve_tiles)) reasons.push("other hands would be read worse");
  if (reasons.length) {
    throw new Error(
      `Not adapted, because ${reasons.join(" and ")}: own errors ${before} \u2192 ${after} of ${figures.samples}, ` +
      `other hands ${figures.reserve_errors_before} \u2192 ${figures.reserve_errors_after} of ${figures.reserve_tiles}. Nothing was changed.`,
    );
  }
}
