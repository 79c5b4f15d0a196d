"""Gradient steps on one hand: what moves, what stays, and that a seed decides everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_digits.errors import UsageError
from edge_digits.paper.tiles import make_tile
from edge_digits.personal.reserve import load_reserve
from export import parity
from export.data.glyphs import GlyphSet
from export.figures import logits_of
from export.fine_tuning import (
    HEAD_UP_TO,
    Base,
    Lessons,
    Plan,
    Variants,
    choose_plan,
    fine_tune,
    make_variants,
    prepare_base,
    prepare_lessons,
)
from export.from_onnx import find_base, load_base
from export.negatives import make_negative
from export.own_samples import load_folder
from tests.personal.writers import mirrored, write_samples

HEAD, ALL = Plan("head", 120, 1e-2, "trial"), Plan("all", 12, 1e-3, "trial")


def marks(count: int) -> np.ndarray:
    """Tiles of what is not one digit."""
    reserve = load_reserve()
    digits = GlyphSet("reserve", list(reserve.tiles), reserve.labels)
    rng = np.random.default_rng(5)
    return np.array([make_tile(make_negative(rng, digits)) for _ in range(count)])


@pytest.fixture(scope="module")
def base() -> Base:
    network, card = load_base(find_base("digits"))
    return prepare_base(network, card, np.concatenate([load_reserve().tiles[:200], marks(74)]))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Variants:
    """A hand that turns its 2 and its 7 round, four of each digit."""
    samples = load_folder(write_samples(tmp_path_factory.mktemp("hand"), 4, {2: mirrored, 7: mirrored}))
    return make_variants(samples.glyphs, samples.labels, 1, count=4)


@pytest.fixture(scope="module")
def lessons(base: Base, own: Variants) -> Lessons:
    return prepare_lessons(base, own)


def wrong(network: torch.nn.Module, own: Variants) -> int:
    return int((logits_of(network, own.plain).argmax(axis=1) != own.labels).sum())  # type: ignore[arg-type]


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.mark.parametrize(
    ("samples", "way", "expected", "said"),
    [
        (10, "auto", "head", "10 samples are at most 20"),
        (HEAD_UP_TO, "auto", "head", "too few to move more"),
        (HEAD_UP_TO + 1, "auto", "all", "21 samples are more than 20"),
        (5000, "auto", "all", "replayed"),
        (5000, "head", "head", "as asked for"),
        (10, "all", "all", "as asked for"),
    ],
)
def test_the_number_of_samples_decides_and_says_why(samples: int, way: str, expected: str, said: str) -> None:
    plan = choose_plan(samples, way)
    assert plan.way == expected
    assert said in plan.reason


def test_an_unknown_way() -> None:
    with pytest.raises(UsageError, match="auto, head, all"):
        choose_plan(10, "everything")


def test_variants_begin_with_the_sample_itself(own: Variants) -> None:
    assert own.tiles.shape == (40, 4, 28, 28)
    assert (own.tiles[:, 1:] != own.plain[:, None]).any(axis=(2, 3)).mean() > 0.9
    kept = own.take(own.labels == 7)
    assert (len(kept), set(kept.labels.tolist())) == (4, {7})
    assert make_variants([], np.zeros(0, np.int64), 1).tiles.shape == (0, 16, 28, 28)


def test_the_last_layer_alone_learns_the_hand(base: Base, own: Variants, lessons: Lessons) -> None:
    before = weights(base.network)
    tuned = fine_tune(base, lessons, HEAD, seed=1)
    assert wrong(base.network, own) >= 4
    assert wrong(tuned, own) <= 0.5 * wrong(base.network, own)
    after = weights(tuned)
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"head.weight", "head.bias"}
    assert all(torch.equal(value, before[name]) for name, value in weights(base.network).items())


def test_all_layers_learn_the_hand_and_the_base_stays(base: Base, own: Variants, lessons: Lessons) -> None:
    before = weights(base.network)
    tuned = fine_tune(base, lessons, ALL, seed=1)
    assert wrong(tuned, own) < wrong(base.network, own)
    assert all(not torch.equal(value, before[name]) for name, value in weights(tuned).items())
    assert all(torch.equal(value, before[name]) for name, value in weights(base.network).items())
    reserve = load_reserve()
    kept = (logits_of(tuned, reserve.tiles[400:]).argmax(axis=1) == reserve.labels[400:]).mean()
    assert kept > 0.96


@pytest.mark.parametrize("plan", [replace(HEAD, steps=10), replace(ALL, steps=2)])
def test_the_seed_decides(base: Base, lessons: Lessons, plan: Plan) -> None:
    first, second, other = (weights(fine_tune(base, lessons, plan, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_no_step_changes_nothing(base: Base, lessons: Lessons) -> None:
    tuned = fine_tune(base, lessons, replace(HEAD, steps=0), seed=1)
    tiles = load_reserve().tiles[:50]
    assert np.allclose(logits_of(tuned, tiles), logits_of(base.network, tiles), atol=1e-4)


def test_marks_that_are_no_digit_are_refused_as_before(base: Base, lessons: Lessons) -> None:
    tuned = fine_tune(base, lessons, ALL, seed=1)
    tiles = np.concatenate([marks(60), parity.random_tiles(60)])
    before, after = ((logits_of(network, tiles).argmax(axis=1) == 10).mean() for network in (base.network, tuned))
    assert before > 0.8
    assert abs(after - before) < 0.1


def test_replayed_answers_hold_for_the_share_of_the_loss(base: Base) -> None:
    assert np.allclose(base.answers.sum(axis=1), 1.0, atol=1e-5)
    assert base.answers[200:, 10].mean() > 0.9
    plain = torch.softmax(torch.from_numpy(logits_of(base.network, base.replay)) / base.card.temperature, 1).numpy()
    assert (base.answers[:, 10] >= plain[:, 10] - 1e-6).all()


def test_lessons_name_the_label_and_leave_the_rest_to_the_base(base: Base, own: Variants, lessons: Lessons) -> None:
    assert np.allclose(lessons.targets.sum(axis=2), 1.0, atol=1e-5)
    assert (lessons.targets[:, :, :10].argmax(axis=2) == own.labels[:, None]).all()
    # A digit that the base takes for no digit is taught as one.
    refused = prepare_lessons(base, Variants(marks(6)[:, None], np.arange(6)))
    assert (logits_of(base.network, marks(6)).argmax(axis=1) == 10).sum() >= 4
    assert (refused.targets.argmax(axis=2)[:, 0] == np.arange(6)).sum() >= 4
    kept = lessons.take(own.labels == 3)
    assert (len(kept), kept.targets.shape) == (4, (4, 4, 11))


def test_one_sample_is_enough_to_compute(base: Base, own: Variants) -> None:
    one = own.take(np.arange(40) == 0)
    assert logits_of(fine_tune(base, prepare_lessons(base, one), replace(ALL, steps=1), seed=1), one.plain).shape == (1, 11)


def test_samples_are_read_from_real_folders(shared: Path, base: Base) -> None:
    samples = load_folder(shared / "personal" / "kstock_ds10")
    variants = make_variants(samples.glyphs, samples.labels, 1, count=2)
    assert wrong(base.network, variants) <= 2
