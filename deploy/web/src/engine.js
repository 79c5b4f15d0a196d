// Reads and learns in the browser alone; takes the place of the served page's engine.js and has its form.

import { adapt, countErrors } from "./adaptation.js";
import { Classifier, DIGITS, bestDigit, softmax } from "./classifier.js";
import { applyDifference, shiftDigits } from "./head.js";
import { copiesOf, jittered } from "./jitter.js";
import { startModelSection } from "./model_section.js";
import { readNpz, writeNpz } from "./npz.js";
import { findSingleGlyph, greyOf } from "./single.js";
import * as store from "./store.js";
import { makeTile } from "./tiles.js";

const TRAIN_EACH = 10;
const TEST_EACH = 5;
const MOST_FORMER = 10; // versions of a model before the one in use, as in edge_digits/recognition/adapted.py
const FORMAT = 1; // of adapted models, as in edge_digits/recognition/adapted.py

const fetched = async (name) => {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name} is missing beside this page (${answer.status}).`);
  return new Uint8Array(await answer.arrayBuffer());
};

export const engine = {
  can: { read: false, learn: true, camera: false },
  hand: "me",
  onLearned: async () => {},
  head: null, // of the adapted model that reads

  async start() {
    const manifest = JSON.parse(new TextDecoder().decode(await fetched("manifest.json")));
    const name = manifest.default;
    const { file, sha256 } = manifest.models[name].int8;
    this.twins = Object.fromEntries(["int8", "float"].map((kind) => [kind, manifest.models[name][kind].sha256]));
    this.classifier = await Classifier.load(name, await fetched(file), sha256);
    if ("serviceWorker" in navigator) navigator.serviceWorker.register("service_worker.js").catch(() => {}); // only reloads need it
    return { model: this.about(), promise: "Handwritten digits in, numbers out. Nothing leaves this browser; no server reads along." };
  },
  startMore(judgeAgain) {
    return startModelSection(this, judgeAgain);
  },
  about() {
    return `Model ${this.classifier.name}, SHA-256 ${this.classifier.sha256.slice(0, 12)}\u2026, in this browser`;
  },

  /** Another model, chosen by the user; adapted heads belong to the one they were fitted to. */
  async loadModel(name, bytes) {
    const hash = crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : new Uint8Array(32);
    const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.classifier = await Classifier.load(name, bytes, sha256);
    this.kept = null;
    this.head = null;
    this.can.learn = this.classifier.hasFeatures;
  },

  async classify(tiles, onProgress) {
    const outputs = await this.classifier.run(tiles, onProgress);
    if (!this.head) return outputs.logits;
    const changed = applyDifference(this.head, outputs.logits, outputs.features);
    return outputs.logits.map((row, at) => shiftDigits(row, changed[at], this.classifier.temperature));
  },
  async judge(pad) {
    const glyph = findSingleGlyph(greyOf(pad.pixels()));
    if (!glyph.data.some(Boolean)) return { ink: false, digit: null, confidence: 0, probabilities: new Array(DIGITS + 1).fill(0) };
    const [row] = await this.classify([makeTile(glyph).data]);
    const probabilities = Array.from(softmax(row, this.classifier.temperature));
    const digit = bestDigit(row);
    const confidence = probabilities[digit];
    return { ink: true, digit: confidence >= this.classifier.rejectThreshold ? digit : null, confidence, probabilities };
  },

  async hands() {
    const hands = await store.all("hands");
    const isOurs = ({ base }) => Object.values(base).includes(this.classifier.sha256);
    return hands.filter(isOurs).map(({ name, metadata, former }) => ({
      name, saved: true, former: former?.length || 0, figures: metadata.figures || {},
    }));
  },
  async use(name) {
    const hand = (await store.all("hands")).find((each) => each.name === name);
    this.head = hand ? hand.head : null;
  },
  /** Puts the version back that was replaced last. */
  async rollBack(name) {
    const [before, ...former] = (await store.all("hands")).find((each) => each.name === name)?.former || [];
    if (!before) throw new Error(`There is no version of '${name}' before this one.`);
    await store.put("hands", { ...before, former });
  },
  /** Keeps a model; one of that name that it replaces is kept for rollBack. */
  async keepHand(hand) {
    const replaced = (await store.all("hands")).find((each) => each.name === hand.name);
    const { former = [], ...before } = replaced || {};
    await store.put("hands", { ...hand, former: (replaced ? [before, ...former] : []).slice(0, MOST_FORMER) });
  },
  removeHand(name) {
    return store.remove("hands", name);
  },

  async samples(name) {
    const rows = (await store.all("samples")).filter((row) => row.hand === name);
    const count = (split) => Array.from({ length: DIGITS }, (_, digit) => rows.filter((row) => row.split === split && row.digit === digit).length);
    const counts = { train: count("train"), test: count("test") };
    const prompts = [["train", TRAIN_EACH], ["test", TEST_EACH]].flatMap(([split, each]) =>
      Array.from({ length: each }, (_, turn) => counts[split].flatMap((stored, digit) => (turn >= stored ? [{ digit, split }] : []))).flat());
    return { hand: name, counts, prompts };
  },
  async keepSample(name, digit, split, pad) {
    await store.put("samples", { hand: name, digit, split, picture: await pad.png() });
    return this.samples(name);
  },
  async forgetSample(name) {
    const rows = (await store.all("samples")).filter((row) => row.hand === name);
    if (!rows.length) throw new Error(`Nothing of '${name}' is kept that could be taken back.`);
    await store.remove("samples", rows.at(-1).id);
    return this.samples(name);
  },

  async outputsOf(name, split) {
    const rows = (await store.all("samples")).filter((row) => row.hand === name && row.split === split);
    const tiles = [];
    for (const row of rows) tiles.push(makeTile(findSingleGlyph(await greyOfPicture(row.picture))).data);
    return { tiles, outputs: await this.classifier.run(tiles), labels: rows.map((row) => row.digit) };
  },
  async withCopies({ tiles, outputs, labels }) {
    const copies = [];
    for (let jitter = 0; jitter < copiesOf(tiles.length); jitter += 1) copies.push(await this.classifier.run(tiles.map((tile) => jittered(tile, jitter))));
    return { outputs, labels, copies };
  },
  async reserve() {
    if (!this.kept) {
      const { tiles, labels } = await readNpz(await fetched("reserve.npz"));
      const rows = Array.from({ length: labels.data.length }, (_, at) => tiles.data.subarray(at * 784, (at + 1) * 784));
      this.kept = { outputs: await this.classifier.run(rows), labels: Array.from(labels.data) };
    }
    return this.kept;
  },
  async adapt(name) {
    if (!this.classifier.hasFeatures) throw new Error(`Model ${this.classifier.name} has no output 'features', which learning needs.`);
    const own = await this.withCopies(await this.outputsOf(name, "train"));
    const { difference, figures } = await adapt(own, await this.reserve(), this.classifier.temperature);
    const test = await this.outputsOf(name, "test");
    if (test.labels.length) {
      const after = applyDifference(difference, test.outputs.logits, test.outputs.features);
      Object.assign(figures, {
        test_samples: test.labels.length,
        test_errors_before: countErrors(test.outputs.logits, test.labels),
        test_errors_after: countErrors(after, test.labels),
      });
    }
    const train = Array.from({ length: DIGITS }, (_, digit) => own.labels.filter((label) => label === digit).length);
    const metadata = { created: new Date().toISOString(), samples: { train, skipped: 0 }, figures };
    const isShipped = Object.values(this.twins).includes(this.classifier.sha256);
    const base = isShipped ? this.twins : { int8: this.classifier.sha256 };
    await this.keepHand({ name, head: difference, metadata, base, baseName: this.classifier.name });
    return { name, ...metadata };
  },

  /** The file that `edge-digits adapt` writes: it also serves `edge-digits read --model NAME`, put beside the others. */
  async exportHand(name) {
    const hand = (await store.all("hands")).find((each) => each.name === name);
    const { weights, bias } = hand.head;
    const metadata = { ...hand.metadata, format: FORMAT, name, base: { model: hand.baseName, sha256: hand.base } };
    return writeNpz({
      weights: { shape: [weights.length, DIGITS], data: Float32Array.from(weights.flatMap((row) => Array.from(row))) },
      bias: { shape: [DIGITS], data: bias },
      metadata: { shape: [], data: JSON.stringify(metadata) },
    });
  },
  async saveHand(name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([await this.exportHand(name)]));
    link.download = `${name}.npz`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  },
  async loadHand(bytes) {
    const { weights, bias, metadata } = await readNpz(bytes);
    const about = JSON.parse(metadata?.data || "{}");
    if (about.format !== FORMAT || weights?.shape[1] !== DIGITS || bias?.shape[0] !== DIGITS) throw new Error("This file holds no adapted model.");
    if (!Object.values(about.base.sha256).includes(this.classifier.sha256)) {
      throw new Error(`'${about.name}' was fitted to another version of '${about.base.model}'; load that model first.`);
    }
    const rows = Array.from({ length: weights.shape[0] }, (_, at) => weights.data.slice(at * DIGITS, (at + 1) * DIGITS));
    const head = { weights: rows, bias: bias.data };
    await this.keepHand({ name: about.name, head, metadata: about, base: about.base.sha256, baseName: about.base.model });
    await this.onLearned(about.name);
  },
};

async function greyOfPicture(blob) {
  const image = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return greyOf(canvas.getImageData(0, 0, image.width, image.height));
}
