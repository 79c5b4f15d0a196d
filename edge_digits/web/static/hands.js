// The section that learns a hand: asks for digits, keeps them, adapts the model, and tells what that changed.

import { byId, guarded, isForControl, make } from "./elements.js";
import { Pad } from "./pad.js";

const HAND = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

const describe = ({ name, figures }) =>
  `${name}: own errors ${figures.own_errors_before} \u2192 ${figures.own_errors_after} of ${figures.samples}`;

/** onChanged: called when another model reads, or the same one has learned. */
export async function startHands(engine, onChanged) {
  const pad = new Pad(byId("collect-pad"), () => {});
  const area = byId("collect-pad").closest("section");
  area.dataset.keys = "collect";
  let state = null; // {counts: {train, test}, prompts: [{digit, split}]} as the engine tells it
  let skipped = 0;

  const name = () => {
    const given = byId("hand-name").value.trim();
    if (!HAND.test(given)) throw new Error("Name the hand with letters, digits, '-' and '_', at most 40, beginning with a letter or digit.");
    return given;
  };
  const prompt = () => (state.prompts.length ? state.prompts[skipped % state.prompts.length] : null);

  function show() {
    const wanted = prompt();
    byId("prompt").textContent = wanted
      ? `Draw a ${wanted.digit}${wanted.split === "test" ? " (kept apart, to measure with)" : ""}`
      : "Complete. Adapt the model, or correct digits of your pages.";
    const total = (counts) => counts.reduce((sum, count) => sum + count, 0);
    byId("counts").textContent =
      `${total(state.counts.train)} to learn from (${state.counts.train.join(" ")}), ` +
      `${total(state.counts.test)} to measure with (${state.counts.test.join(" ")}), ${state.prompts.length} still asked for.`;
    for (const id of ["keep", "skip"]) byId(id).disabled = !wanted;
  }

  async function load() {
    engine.hand = name();
    state = await engine.samples(engine.hand);
    skipped = 0;
    show();
  }

  let storing = false;
  async function keep() {
    const wanted = prompt();
    if (!wanted || pad.isEmpty || storing) return;
    storing = true;
    try {
      state = await engine.keepSample(name(), wanted.digit, wanted.split, pad);
    } finally {
      storing = false;
    }
    pad.clear();
    show();
    onChanged();
  }

  async function undo() {
    if (!pad.isEmpty) {
      pad.undo();
      return;
    }
    state = await engine.forgetSample(name());
    show();
    onChanged();
  }

  function skip() {
    pad.clear();
    skipped += 1;
    show();
  }

  async function adapt() {
    byId("before-after").hidden = true;
    byId("adapt-state").textContent = "Learning\u2026";
    byId("adapt").disabled = true;
    try {
      const { figures } = await engine.adapt(name());
      await listHands();
      await choose(name());
      // Last of all: whoever sees the figures finds the hand chosen.
      showFigures(figures);
      byId("adapt-state").textContent = `Learned in ${figures.seconds.toFixed(1)} s. "${name()}" reads from now on.`;
    } catch (error) {
      byId("adapt-state").textContent = "";
      throw error;
    } finally {
      byId("adapt").disabled = false;
    }
  }

  function showFigures(figures) {
    const rows = [
      ["your digits (cross-validated)", figures.own_errors_before, figures.own_errors_after, figures.samples],
      ["other hands", figures.reserve_errors_before, figures.reserve_errors_after, figures.reserve_tiles],
    ];
    if (figures.test_samples) rows.splice(1, 0, ["your digits kept apart", figures.test_errors_before, figures.test_errors_after, figures.test_samples]);
    const body = byId("before-after").querySelector("tbody");
    body.replaceChildren(...rows.map(([what, ...values]) => {
      const head = make("th", { textContent: what });
      head.scope = "row";
      return make("tr", {}, head, ...values.map((value) => make("td", { textContent: String(value) })));
    }));
    byId("before-after").hidden = false;
  }

  async function listHands() {
    const hands = await engine.hands();
    const chosen = byId("hand").value;
    byId("hand").replaceChildren(
      make("option", { value: "", textContent: "the shipped model" }),
      ...hands.map((hand) => make("option", { value: hand.name, textContent: hand.name })),
    );
    byId("hand").value = hands.some((hand) => hand.name === chosen) ? chosen : "";
    byId("hand-choice").hidden = hands.length === 0;
    byId("hands").replaceChildren(...hands.filter((hand) => hand.saved).map((hand) => {
      const actions = [["Remove", () => engine.removeHand(hand.name)]];
      if (hand.former) actions.push(["Go back to the version before", () => rollBack(hand)]);
      if (engine.saveHand) actions.push(["Save as a file", () => engine.saveHand(hand.name)]);
      const buttons = actions.map(([label, action]) => {
        const button = make("button", { type: "button", textContent: label });
        button.setAttribute("aria-label", `${label}: ${hand.name}`);
        button.addEventListener("click", guarded(async () => {
          await action();
          await listHands();
          await choose(byId("hand").value);
          // The list was made anew: the keyboard stays where it was, or goes to the nearest thing that is left.
          const again = Array.from(byId("hands").querySelectorAll("button")).find((each) => each.ariaLabel === button.ariaLabel);
          (again || byId("adapt")).focus();
        }));
        return button;
      });
      return make("li", {}, make("span", { textContent: describe(hand) }), make("span", { className: "buttons" }, ...buttons));
    }));
  }

  async function rollBack(hand) {
    await engine.rollBack(hand.name);
    byId("before-after").hidden = true; // those were the figures of the version that is gone
    byId("adapt-state").textContent = `"${hand.name}" is what it was before; ${hand.former - 1} still earlier ones are kept.`;
  }

  async function choose(hand) {
    byId("hand").value = hand;
    await engine.use(byId("hand").value);
    onChanged();
  }

  engine.onLearned = guarded(async (hand) => {
    await listHands();
    await choose(hand);
    await load();
  });
  byId("hand").addEventListener("change", guarded(() => choose(byId("hand").value)));
  byId("hand-name").addEventListener("change", guarded(load));
  byId("keep").addEventListener("click", guarded(keep));
  byId("skip").addEventListener("click", skip);
  byId("collect-clear").addEventListener("click", () => pad.clear());
  byId("collect-undo").addEventListener("click", guarded(undo));
  byId("adapt").addEventListener("click", guarded(adapt));
  area.addEventListener("keydown", guarded(async (event) => {
    if (isForControl(event)) return;
    const key = event.key.toLowerCase();
    if (key === " ") pad.clear();
    else if (key === "k") await keep();
    else if (key === "s") skip();
    else if (key === "z") await undo();
    else return;
    event.preventDefault();
  }));
  await listHands();
  await load();
}
