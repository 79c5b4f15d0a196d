// Tiles in, probabilities out: an ONNX model in ONNX Runtime Web, as edge_digits/recognition/classifier.py does it.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { readCard } from "./onnx_metadata.js";
import { TILE_SIDE, asModelInput } from "./tiles.js";

export const LABELS = 11;
export const DIGITS = 10;
const BATCH = 500;

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };

export class Classifier {
  /** bytes: Uint8Array of an .onnx file. Throws when it is none of the contract. */
  static async load(name, bytes, sha256) {
    const card = readCard(bytes);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
    return Object.assign(new Classifier(), { name, sha256, session, ...card, hasFeatures: session.outputNames.includes("features") });
  }

  /** tiles: Uint8Arrays of 784 levels, ink 255. Returns n rows of 11 logits, and of features where the model gives them. */
  async run(tiles, onProgress = () => {}) {
    const logits = [];
    const features = [];
    for (let at = 0; at < tiles.length; at += BATCH) {
      const part = tiles.slice(at, at + BATCH);
      const input = new ort.Tensor("float32", asModelInput(part), [part.length, 1, TILE_SIDE, TILE_SIDE]);
      const result = await this.session.run({ tiles: input });
      logits.push(...rowsOf(result.logits.data, part.length));
      if (this.hasFeatures) features.push(...rowsOf(result.features.data, part.length));
      onProgress(Math.min(tiles.length, at + BATCH));
    }
    return { logits, features };
  }
}

function rowsOf(flat, count) {
  const width = flat.length / count;
  return Array.from({ length: count }, (_, row) => Float64Array.from(flat.subarray(row * width, (row + 1) * width)));
}

/** Probabilities of one row of logits. */
export function softmax(row, temperature = 1) {
  const largest = Math.max(...row);
  const shares = Float64Array.from(row, (value) => Math.exp((value - largest) / temperature));
  const sum = shares.reduce((total, value) => total + value, 0);
  return shares.map((value) => value / sum);
}

/** The digit of the highest logit, 0 to 9, whatever is said of "not one digit". */
export function bestDigit(row) {
  let best = 0;
  for (let digit = 1; digit < DIGITS; digit += 1) if (row[digit] > row[best]) best = digit;
  return best;
}

/** Index of the highest of all eleven labels. */
export const bestLabel = (row) => row.reduce((best, value, at) => (value > row[best] ? at : best), 0);
