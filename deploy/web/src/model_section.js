// The section that only the page without a server has: another model, accuracy on MNIST, adapted models from files.

import { bestLabel } from "./classifier.js";
import { byId, guarded, make } from "./elements.js";
import { readMnist } from "./mnist.js";

function fileField(id, label, properties, onFiles) {
  const input = make("input", { type: "file", id, ...properties });
  input.addEventListener("change", guarded(async () => {
    const files = Array.from(input.files);
    if (files.length) await onFiles(files);
    input.value = "";
  }));
  return make("p", {}, make("label", { htmlFor: id, textContent: label }), document.createElement("br"), input);
}

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

export async function startModelSection(engine, judgeAgain) {
  const state = make("p", { id: "model-state" });
  state.setAttribute("role", "status");
  state.setAttribute("aria-live", "polite");

  async function loadModel([file]) {
    await engine.loadModel(file.name.replace(/\.onnx$/, ""), await bytesOf(file));
    byId("model").textContent = engine.about();
    state.textContent = `Reads with ${file.name} now.`;
    await engine.onLearned("");
    judgeAgain();
  }

  /** The share of digits that are named rightly; what is called "not one digit" is an error. */
  async function measure(files) {
    const { tiles, labels } = await readMnist(files);
    const started = performance.now();
    const rows = await engine.classify(tiles, (done) => { state.textContent = `${done} of ${tiles.length} read\u2026`; });
    const micros = (1000 * (performance.now() - started)) / tiles.length;
    const found = rows.map(bestLabel);
    const right = found.filter((label, at) => label === labels[at]).length;
    engine.found = found;
    state.textContent = `${((100 * right) / labels.length).toFixed(2)} % of ${labels.length} read rightly, ${micros.toFixed(0)} \u00b5s a digit.`;
  }

  const title = make("h2", { id: "model-title", textContent: "The model" });
  const section = make("section", {}, title,
    fileField("mnist-files", "Measure on MNIST: choose its test pictures and labels together (.gz or plain)", { multiple: true }, measure),
    fileField("model-file", "Read with another model (.onnx)", { accept: ".onnx" }, loadModel),
    fileField("hand-file", "Load an adapted model (.npz), from here or from `edge-digits adapt`", { accept: ".npz" },
      async ([file]) => { await engine.loadHand(await bytesOf(file)); state.textContent = `Loaded ${file.name}.`; }),
    state);
  section.setAttribute("aria-labelledby", "model-title");
  byId("main").append(section);
}
