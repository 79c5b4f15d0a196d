"""The guard: what passes, what is refused, and that nobody is judged by what was learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from edge_digits.errors import AdaptationRefusedError, ExitCode
from edge_digits.personal.reserve import load_reserve
from export import harm_guard
from export.figures import logits_of
from export.fine_tuning import Base, Lessons, Plan, Variants, fine_tune, make_variants, prepare_base, prepare_lessons
from export.from_onnx import find_base, load_base
from export.harm_guard import Figures, FrozenSet, blended, fit_and_measure, log_losses, reasons_to_refuse, require_no_harm
from export.networks import ConvNetwork
from export.own_samples import load_folder
from tests.personal.writers import mirrored, write_samples

HEAD = Plan("head", 100, 1e-2, "trial")
GOOD = Figures(
    samples=100,
    folds=5,
    own_errors_before=10,
    own_errors_after=6,
    own_loss_before=0.3,
    own_loss_after=0.2,
    own_loss_doubt=0.05,
    base_tiles=2000,
    base_errors_before=40,
    base_errors_after=42,
    digit_tiles=1500,
    digit_errors_before=10,
    digit_errors_after=12,
    blend=1.0,
)


@pytest.fixture(scope="module")
def base() -> Base:
    network, card = load_base(find_base("digits"))
    return prepare_base(network, card, load_reserve().tiles[:200])


@pytest.fixture(scope="module")
def frozen() -> FrozenSet:
    reserve = load_reserve()
    return FrozenSet(reserve.tiles[200:], reserve.labels[200:])


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    samples = load_folder(write_samples(tmp_path_factory.mktemp("hand"), 5, {2: mirrored, 7: mirrored}))
    return make_variants(samples.glyphs, samples.labels, 1, count=4)


def test_a_gain_without_harm_passes() -> None:
    assert reasons_to_refuse(GOOD) == []
    require_no_harm(GOOD)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"own_errors_after": 11}, "own digits would be read worse"),
        ({"own_loss_after": 0.31}, "surer of this hand"),
        ({"own_errors_after": 10, "own_loss_after": 0.26}, "little or chance"),
        ({"own_errors_before": 0, "own_errors_after": 0, "own_loss_before": 0.204, "own_loss_doubt": 0.001}, "little or chance"),
        ({"own_errors_before": 90, "own_errors_after": 60}, "labels cannot be right"),
        ({"base_errors_after": 45}, "other hands would lose 0.25 points"),
        ({"digit_errors_after": 14}, "other hands would lose 0.27 points"),
    ],
)
def test_harm_is_refused_with_the_figures(changes: dict[str, float], said: str) -> None:
    figures = replace(GOOD, **changes)  # type: ignore[arg-type]
    with pytest.raises(AdaptationRefusedError, match=said) as refusal:
        require_no_harm(figures)
    assert refusal.value.exit_code == ExitCode.SOME_INPUTS_FAILED
    assert figures.text() in str(refusal.value)
    assert "nothing was written" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_limit_itself_is_allowed() -> None:
    assert replace(GOOD, base_errors_after=44).base_drop == pytest.approx(0.2)
    assert reasons_to_refuse(replace(GOOD, base_errors_after=44)) == []
    assert reasons_to_refuse(replace(GOOD, own_errors_after=10, own_loss_after=0.24)) == []


def test_a_blend_lies_between(base: Base, own: Variants) -> None:
    tuned = fine_tune(base, prepare_lessons(base, own), replace(HEAD, steps=20), 1)
    for share, wanted in ((0.0, base.network), (1.0, tuned)):
        between = blended(base.network, tuned, share).state_dict()
        assert all(torch.allclose(between[name], value, atol=1e-6) for name, value in wanted.state_dict().items())
    half = blended(base.network, tuned, 0.5).head.bias
    assert torch.allclose(half, (base.network.head.bias + tuned.head.bias) / 2, atol=1e-6)


def test_losses_are_those_of_the_calibrated_probabilities() -> None:
    logits = np.zeros((2, 11), np.float32)
    logits[0, 3] = 2.0
    expected = -np.log(np.exp([2.0 / 0.5, 0.0]) / (np.exp(2.0 / 0.5) + 10))
    assert log_losses(logits, np.array([3, 0]), 0.5)[0] == pytest.approx(expected[0])
    assert log_losses(logits, np.array([3, 0]), 0.5)[1] == pytest.approx(np.log(11))


def test_a_strange_hand_passes_the_guard(base: Base, own: Variants, frozen: FrozenSet, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of 600 tiles a single one is 0.17 points: half of what is allowed would be none.
    monkeypatch.setattr(harm_guard, "AIMED_AT", 1.0)
    told: list[int] = []
    outcome = fit_and_measure(base, own, frozen, HEAD, 1, told=lambda: told.append(1))
    assert reasons_to_refuse(outcome.figures) == []
    assert outcome.figures.own_errors_after <= 0.6 * outcome.figures.own_errors_before
    assert len(told) == 6
    wrong = (logits_of(outcome.network, frozen.tiles).argmax(axis=1) != frozen.labels).sum()
    assert outcome.figures.base_errors_after == wrong


def test_no_sample_is_judged_by_a_network_that_saw_it(
    base: Base, own: Variants, frozen: FrozenSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Variants] = []

    def remember(_: Base, part: Lessons, *__: object) -> ConvNetwork:
        seen.append(part.variants)
        return base.network

    monkeypatch.setattr(harm_guard, "fine_tune", remember)
    figures = fit_and_measure(base, own, frozen, HEAD, 1).figures
    assert [len(part) for part in seen] == [50, 40, 40, 40, 40, 40]
    left_out = [{tile.tobytes() for tile in own.plain} - {tile.tobytes() for tile in part.plain} for part in seen[1:]]
    assert len(set.union(*left_out)) == sum(len(part) for part in left_out) == 50
    assert figures.own_errors_after == figures.own_errors_before
    assert "little or chance" in reasons_to_refuse(figures)[0]


def test_wrong_labels_are_refused(base: Base, own: Variants, frozen: FrozenSet) -> None:
    shifted = Variants(own.tiles, (own.labels + 1) % 10)
    figures = fit_and_measure(base, shifted, frozen, HEAD, 1).figures
    assert reasons_to_refuse(figures) != []


def test_too_far_for_others_means_less_far(base: Base, own: Variants, frozen: FrozenSet) -> None:
    """Mistaught on purpose: the full step harms the frozen set, so a smaller blend is judged."""
    shifted = Variants(own.tiles, (own.labels + 1) % 10)
    figures = fit_and_measure(base, shifted, frozen, replace(HEAD, learning_rate=1e-1), 1).figures
    assert figures.blend < 1.0
