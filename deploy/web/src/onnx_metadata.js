// What an ONNX file says about itself. ONNX Runtime Web does not tell it, so the file is read: a protobuf message whose
// field 14 is a list of pairs (onnx.proto: ModelProto.metadata_props, StringStringEntryProto key = 1, value = 2).

const METADATA = 14;
const CONTRACT = "1";
const LABELS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "not one digit"];

/** Calls visit(field, bytes) for each field of a message that has a length. */
function eachField(bytes, visit) {
  let at = 0;
  const number = () => {
    let [value, factor, byte] = [0, 1, 0];
    do {
      if (at >= bytes.length) throw new Error("the file ends too early");
      byte = bytes[at];
      at += 1;
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte > 127);
    return value;
  };
  while (at < bytes.length) {
    const tag = number();
    const kind = tag % 8;
    if (kind === 0) number();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const length = number();
      if (at + length > bytes.length) throw new Error("the file ends too early");
      visit(Math.floor(tag / 8), bytes.subarray(at, at + length));
      at += length;
    } else throw new Error("this is no ONNX file");
  }
}

/** bytes: Uint8Array of the file. Returns {temperature, rejectThreshold}. Throws for a model of another contract. */
export function readCard(bytes) {
  const found = {};
  const text = new TextDecoder();
  eachField(bytes, (field, content) => {
    if (field !== METADATA) return;
    const pair = {};
    eachField(content, (part, value) => { pair[part] = text.decode(value); });
    found[pair[1]] = pair[2];
  });
  const temperature = Number(found.temperature);
  const rejectThreshold = Number(found.reject_threshold);
  const isOurs = found.contract_version === CONTRACT && found.labels && JSON.stringify(JSON.parse(found.labels)) === JSON.stringify(LABELS);
  if (!isOurs || !(temperature > 0) || !(rejectThreshold >= 0 && rejectThreshold <= 1)) {
    throw new Error(`this is no model of contract ${CONTRACT}; take one that edge_digits publishes or \`python -m export.to_onnx\` wrote`);
  }
  return { temperature, rejectThreshold };
}
