// What reads and learns for the page: here the server that gave it. The folder deploy/web has another one of the same
// form, which does it in the browser; the sections know no difference.

// The token comes once in the address; it is kept for this tab and taken out of sight and out of the history.
const address = new URL(location.href);
let token = address.searchParams.get("token");
try {
  token = token || sessionStorage.getItem("token") || "";
  if (token) sessionStorage.setItem("token", token);
} catch { token = token || ""; } // storage may be switched off
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

async function ask(path, { method = "GET", body, query = {} } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  let answer;
  try {
    answer = await fetch(`${path}${given.size ? `?${given}` : ""}`, { method, body, headers });
  } catch {
    throw new Error("The server does not answer. Is `edge-digits serve` still running?");
  }
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error ? value.error.message : `The server answered ${answer.status}.`);
  return value;
}

export const engine = {
  can: { read: true, learn: true, camera: false },
  hand: "me", // whose digits are collected and corrected
  model: "", // adapted model that reads, "" for the server's own
  onLearned: async () => {},

  async start() {
    const health = await ask("health");
    this.can.camera = health.camera !== null;
    this.can.learn = health.learns;
    return {
      model: `Model ${health.model.name} (${health.model.precision}), ${health.provider}, edge-digits ${health.version}`,
      promise: "Handwritten digits in, numbers out. Nothing leaves the machine that serves this page.",
    };
  },

  async judge(pad) {
    return ask("tile", { method: "POST", body: await pad.png(), query: { model: this.model } });
  },
  read(blob, { withPicture = false } = {}) {
    return ask("read", { method: "POST", body: blob, query: { model: this.model, picture: withPicture ? "1" : "" } });
  },
  look(after) {
    return ask("camera", { query: { after } });
  },

  async hands() {
    return (await ask("hands")).hands;
  },
  use(name) {
    this.model = name;
  },
  removeHand(name) {
    return ask("hands", { method: "DELETE", query: { hand: name } });
  },
  rollBack(name) {
    return ask("rollback", { method: "POST", query: { hand: name } });
  },
  samples(name) {
    return ask("samples", { query: { hand: name } });
  },
  async keepSample(name, digit, split, pad) {
    return ask("samples", { method: "POST", body: await pad.png(), query: { hand: name, digit, split } });
  },
  forgetSample(name) {
    return ask("samples", { method: "DELETE", query: { hand: name } });
  },
  async correct(digit, blob, box, read) {
    await ask("corrections", { method: "POST", body: blob, query: { hand: this.hand, digit, read, box: box.join(",") } });
    await this.onLearned(this.hand);
  },
  async uncorrect() {
    await ask("samples", { method: "DELETE", query: { hand: this.hand } });
    await this.onLearned(this.hand);
  },
  adapt(name) {
    return ask("adapt", { method: "POST", query: { hand: name } });
  },
};
