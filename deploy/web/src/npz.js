// NumPy's .npz files, read and written: the reserve of other hands, and adapted models in the very form of `edge-digits adapt`.
// Zip as in PKWARE's APPNOTE 6.3.10, arrays as in NumPy's format 1.0.

const KINDS = { "<f4": Float32Array, "|u1": Uint8Array };

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** bytes: Uint8Array of the file. Returns {name: {shape, data}}; data is a typed array, or a string for text. */
export async function readNpz(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("this is no .npz file");
  const arrays = {};
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    const [method, size, nameLength, extra, comment, local] = [
      view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint16(at + 28, true),
      view.getUint16(at + 30, true), view.getUint16(at + 32, true), view.getUint32(at + 42, true),
    ];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = bytes.slice(start, start + size);
    arrays[name.replace(/\.npy$/, "")] = readArray(method === 8 ? await inflate(content) : content);
    at += 46 + nameLength + extra + comment;
  }
  return arrays;
}

function readArray(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirst = bytes[6] === 1;
  const begin = isFirst ? 10 : 12;
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(begin, begin + length));
  const kind = /'descr': '([^']+)'/.exec(header)[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(",").filter((part) => part.trim()).map(Number);
  const content = bytes.slice(begin + length);
  if (kind.startsWith("<U")) return { shape, data: textOf(content) };
  if (!KINDS[kind] || header.includes("'fortran_order': True")) throw new Error(`an array of kind ${kind} is not read here`);
  return { shape, data: new KINDS[kind](content.buffer) };
}

/** Text as NumPy keeps it: four bytes a character, zeros at the end. */
function textOf(content) {
  const codes = new Uint32Array(content.buffer);
  return Array.from(codes.filter(Boolean), (code) => String.fromCodePoint(code)).join("");
}

/** arrays: {name: {shape, data}} with Float32Array, Uint8Array or a string. Returns the bytes of the file, not compressed. */
export function writeNpz(arrays) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const content = writeArray(array);
    const path = new TextEncoder().encode(`${name}.npy`);
    const sum = checksum(content);
    const local = header(0x04034b50, [20, 0, 0, 0, 0x21], [sum, content.length, content.length], [path.length, 0]);
    directory.push(header(0x02014b50, [20, 20, 0, 0, 0, 0x21], [sum, content.length, content.length], [path.length, 0, 0, 0, 0], [0, at]), path);
    parts.push(local, path, content);
    at += local.length + path.length + content.length;
  }
  const size = directory.reduce((total, part) => total + part.length, 0);
  const count = Object.keys(arrays).length;
  const all = [...parts, ...directory, header(0x06054b50, [0, 0, count, count], [size, at], [0])];
  const bytes = new Uint8Array(all.reduce((total, part) => total + part.length, 0));
  all.reduce((place, part) => { bytes.set(part, place); return place + part.length; }, 0);
  return bytes;
}

function header(signature, shorts, longs, moreShorts, moreLongs = []) {
  const view = new DataView(new ArrayBuffer(4 + 2 * (shorts.length + moreShorts.length) + 4 * (longs.length + moreLongs.length)));
  view.setUint32(0, signature, true);
  let at = 4;
  const put = (values, width) => values.forEach((value) => { view[width === 2 ? "setUint16" : "setUint32"](at, value, true); at += width; });
  put(shorts, 2);
  put(longs, 4);
  put(moreShorts, 2);
  put(moreLongs, 4);
  return new Uint8Array(view.buffer);
}

function writeArray({ shape, data }) {
  const isText = typeof data === "string";
  const codes = isText ? Uint32Array.from(data, (character) => character.codePointAt(0)) : data;
  const kind = isText ? `<U${codes.length}` : data instanceof Float32Array ? "<f4" : "|u1";
  const places = isText ? "()" : `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const text = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${places}, }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const content = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  const bytes = new Uint8Array(10 + padded.length + content.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(content, 10 + padded.length);
  return bytes;
}

/** CRC-32 of zip files. */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
