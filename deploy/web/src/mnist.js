// The MNIST files as their authors give them (IDX, http://yann.lecun.com/exdb/mnist), plain or in gzip.

const PICTURES = 0x00000803;
const LABELS = 0x00000801;

async function bytesOf(file) {
  const raw = new Uint8Array(await file.arrayBuffer());
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) return raw;
  return new Uint8Array(await new Response(new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

/** files: the pictures and the labels of one set, in any order. Returns {tiles: Uint8Array[784][], labels: number[]}. */
export async function readMnist(files) {
  let [tiles, labels] = [null, null];
  for (const file of files) {
    const bytes = await bytesOf(file);
    const view = new DataView(bytes.buffer);
    const [kind, count] = bytes.length > 8 ? [view.getUint32(0), view.getUint32(4)] : [0, 0];
    if (kind === PICTURES && view.getUint32(8) === 28 && view.getUint32(12) === 28 && bytes.length === 16 + count * 784) {
      tiles = Array.from({ length: count }, (_, at) => bytes.subarray(16 + at * 784, 16 + (at + 1) * 784));
    } else if (kind === LABELS && bytes.length === 8 + count) labels = Array.from(bytes.subarray(8));
    else throw new Error(`${file.name}: is neither the pictures nor the labels of MNIST (IDX, plain or .gz)`);
  }
  if (!tiles || !labels || tiles.length !== labels.length) {
    throw new Error("Choose two files of one set: its pictures (t10k-images-idx3-ubyte) and its labels (t10k-labels-idx1-ubyte).");
  }
  return { tiles, labels };
}
