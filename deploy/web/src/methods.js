// The ways to fit a head, and a person's digits with their copies. The same as edge_digits/personal/methods.py.

import { shiftOfMeans } from "./class_means.js";
import { fitHead } from "./head.js";
import { copiesOf } from "./jitter.js";

export const METHODS = [
  { name: "both", strength: 0.0001, reserveWeight: 32 },
  { name: "both", strength: 0.0001, reserveWeight: 64 },
  { name: "regression", strength: 0.00003, reserveWeight: 32 },
  { name: "means", strength: 0, reserveWeight: 0 },
];

/** The rows of outputs {logits, features} for which keep(index) holds. */
export const take = ({ logits, features }, keep) => ({ logits: logits.filter((_, at) => keep(at)), features: features.filter((_, at) => keep(at)) });

/** A person's digits {outputs, labels, copies: one outputs a jitter}: those for which keep(index) holds, with their copies. */
export const takeOwn = ({ outputs, labels, copies }, keep) => ({
  outputs: take(outputs, keep), labels: labels.filter((_, at) => keep(at)), copies: copies.map((copy) => take(copy, keep)),
});

/** The head's difference. own: as for takeOwn. kept: {outputs, labels} of other hands. */
export function fitBy(method, own, kept, temperature) {
  const copies = own.copies.slice(0, copiesOf(own.labels.length));
  const logits = [own.outputs, ...copies].flatMap((part) => part.logits);
  const features = [own.outputs, ...copies].flatMap((part) => part.features);
  const labels = new Array(1 + copies.length).fill(own.labels).flat();
  const start = method.name === "regression" ? undefined : shiftOfMeans(features, labels, kept.outputs.features, kept.labels, temperature);
  if (method.name === "means") return start;
  return fitHead({ logits, features }, labels, kept.outputs, { ...method, temperature }, start);
}
