// Builds dist/: the page of `edge-digits serve`, with an engine that needs no server, the shipped models and ONNX Runtime Web.
// Run by `npm run build`, after `npm ci --ignore-scripts`. Nothing in dist/ names another host.

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const product = join(here, "..", "..", "edge_digits");
const runtime = join(here, "node_modules", "onnxruntime-web");
const dist = join(here, "dist");

const PAGE = join(product, "web", "static");
const WEIGHTS = ["manifest.json", "reserve.npz", "digits.int8.onnx", "digits.float.onnx"];
// One thread, no WebGPU: the smallest runtime there is, and no cross-origin isolation is asked of the host.
const RUNTIME = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"];
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'";

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
await cp(PAGE, dist, { recursive: true });
await cp(join(here, "src"), dist, { recursive: true }); // its engine.js takes the place of the server's
for (const name of WEIGHTS) await cp(join(product, "weights", name), join(dist, name));
for (const name of RUNTIME) await cp(join(runtime, "dist", name), join(dist, name));
const { version } = JSON.parse(await readFile(join(runtime, "package.json"), "utf8"));
await writeFile(join(dist, "runtime.json"), `${JSON.stringify({ "onnxruntime-web": version })}\n`);

const page = await readFile(join(dist, "index.html"), "utf8");
const head = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">\n<link rel="manifest" href="page.webmanifest">\n<title>`;
if (!page.includes("<title>")) throw new Error("index.html has no <title> to put the content policy before");
await writeFile(join(dist, "index.html"), page.replace("<title>", head));

// The worker keeps exactly these files, under a name that changes with any of them.
const names = (await readdir(dist)).filter((name) => name !== "service_worker.js").sort();
const hash = createHash("sha256");
for (const name of names) hash.update(await readFile(join(dist, name)));
const worker = await readFile(join(dist, "service_worker.js"), "utf8");
const list = `const FILES = ${JSON.stringify(["./", ...names])};\nconst VERSION = "${hash.digest("hex").slice(0, 16)}";\n`;
await writeFile(join(dist, "service_worker.js"), list + worker);

const sizes = await Promise.all(names.map(async (name) => (await stat(join(dist, name))).size));
console.error(`dist: ${names.length + 1} files, ${(sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(1)} MB; serve it from any static host`);
