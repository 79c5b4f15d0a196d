"""Trains a network further on one person's digits: its last layer alone, or all layers, always beside replayed digits of others.

Half of every batch are the person's digits, changed as in training but less; the other half are replayed training tiles, on which the
network shall answer as it did before (learning without forgetting: Z. Li and D. Hoiem, ECCV 2016). The batch norms are folded into
the convolutions, so no statistic of a few digits can move them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edge_digits.errors import UsageError
from edge_digits.paper.tiles import TILE_SIDE_PX, as_model_input
from edge_digits.recognition.weights import NOT_ONE_DIGIT, ModelCard
from export.augment import augmented_tile
from export.data.glyphs import Glyph
from export.figures import BATCH, logits_of
from export.networks import ConvNetwork
from export.optimisation import schedule
from export.to_onnx import shift_share

Way = Literal["head", "all"]
WAYS: Final = ("auto", "head", "all")

VARIANTS: Final = 16
"""Tiles made of each sample, the first one unchanged; made once, whatever is fitted how often."""
VARIANT_STRENGTH: Final = 0.5
"""Half of training's: one hand varies less than many."""

OWN_BATCH: Final = 48
REPLAY_BATCH: Final = 48
NEGATIVE_SHARE: Final = 0.27
"""Share of "not one digit" among the replayed tiles, as in training."""
REPLAY_WEIGHT: Final = 3.0
"""What the replayed half weighs in the loss beside the person's. On trial with the shipped model and 3 samples a digit of Semeion, mean
of two draws: by weight 1 errors on the rest of it fell from 71.5 to 41.5 and rose by 8 on 5,000 MNIST digits, by weight 3 they fell to
43.5 and rose by 2."""

SEEN_SHARE: Final = NEGATIVE_SHARE * REPLAY_BATCH / (OWN_BATCH + REPLAY_BATCH)
"""Share of "not one digit" among the tiles of a batch: the person's half holds none."""

HEAD_UP_TO: Final = 20
"""Up to so many samples the last layer alone is trained. In the same trial 1 sample a digit cut 73.5 errors to 65 by the last layer and
to 71 by all layers, which cost MNIST more as well; 3 a digit cut 71.5 to 54.5 and to 43.5."""
HEAD_STEPS: Final = 300
HEAD_LEARNING_RATE: Final = 1e-2
ALL_STEPS: Final = 60
ALL_LEARNING_RATE: Final = 5e-4


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained and how. learning_rate : of AdamW, at its highest. reason : why, for people."""

    way: Way
    steps: int
    learning_rate: float
    reason: str


@dataclass(frozen=True, slots=True)
class Variants:
    """A person's samples. tiles : uint8 (n, v, 28, 28), v variants of each, the first unchanged. labels : int64 (n,), 0..9."""

    tiles: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def plain(self) -> NDArray[np.uint8]:
        """The samples by the tile rule alone, uint8 (n, 28, 28)."""
        return self.tiles[:, 0]

    def take(self, keep: NDArray[np.bool_]) -> Variants:
        """The samples for which keep, bool (n,), is true."""
        return Variants(self.tiles[keep], self.labels[keep])


@dataclass(frozen=True, slots=True)
class Lessons:
    """A person's samples and what shall be said of each variant. targets : float32 (n, v, 11), rows sum to 1."""

    variants: Variants
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.variants)

    def take(self, keep: NDArray[np.bool_]) -> Lessons:
        """The samples for which keep, bool (n,), is true."""
        return Lessons(self.variants.take(keep), self.targets[keep])


@dataclass(frozen=True, slots=True)
class Base:
    """What is trained further.

    network : as its file computes. card : of the file. replay : training tiles uint8 (m, 28, 28), NEGATIVE_SHARE of them no digits.
    answers : float32 (m, 11), what the network says of them, as probabilities that hold for SEEN_SHARE.
    """

    network: ConvNetwork
    card: ModelCard
    replay: NDArray[np.uint8]
    answers: NDArray[np.float32]


def choose_plan(samples: int, way: str = "auto") -> Plan:
    """What to train with so many samples, and why. way : one of WAYS; "auto" decides by the number. Raises UsageError."""
    if way not in WAYS:
        raise UsageError(f"way is '{way}'; choose one of {', '.join(WAYS)}")
    asked = "as asked for"
    if way == "head" or (way == "auto" and samples <= HEAD_UP_TO):
        few = f"{samples} samples are at most {HEAD_UP_TO}: too few to move more"
        return Plan("head", HEAD_STEPS, HEAD_LEARNING_RATE, f"the last layer alone, {few if way == 'auto' else asked}")
    many = f"{samples} samples are more than {HEAD_UP_TO}"
    return Plan("all", ALL_STEPS, ALL_LEARNING_RATE, f"all layers beside as many replayed tiles, {many if way == 'auto' else asked}")


def make_variants(glyphs: Sequence[Glyph], labels: NDArray[np.int64], seed: int, count: int = VARIANTS) -> Variants:
    """Tiles of each glyph: one by the tile rule alone, the others changed. glyphs : uint8 (h, w), ink up to 255, paper 0."""
    rng = np.random.default_rng([seed, count])
    strengths = [0.0] + [VARIANT_STRENGTH] * (count - 1)
    tiles = [[augmented_tile(glyph, rng, strength) for strength in strengths] for glyph in glyphs]
    return Variants(np.array(tiles, np.uint8).reshape(-1, count, TILE_SIDE_PX, TILE_SIDE_PX), labels)


def prepare_base(network: ConvNetwork, card: ModelCard, replay: NDArray[np.uint8]) -> Base:
    """Ask the network once what it says of the replayed tiles, uint8 (m, 28, 28)."""
    shifted = _seen(network, card)
    logits = torch.from_numpy(logits_of(shifted, replay))
    answers: NDArray[np.float32] = torch.softmax(logits / card.temperature, 1).numpy()
    return Base(network, card, replay, answers)


def prepare_lessons(base: Base, own: Variants) -> Lessons:
    """What to teach: the label, as far as the base sees a digit at all.

    How probable "not one digit" is stays what the base says, except where it is the base's best class: a person's digits alone would
    teach to see digits everywhere.
    """
    logits = logits_of(_seen(base.network, base.card), own.tiles.reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX))
    said = torch.softmax(torch.from_numpy(logits) / base.card.temperature, 1).numpy().reshape(*own.tiles.shape[:2], -1)
    no_digit = np.where(said.argmax(axis=2) == NOT_ONE_DIGIT, np.float32(0), said[:, :, NOT_ONE_DIGIT])
    targets = np.zeros_like(said)
    targets[np.arange(len(own)), :, own.labels] = 1.0 - no_digit
    targets[:, :, NOT_ONE_DIGIT] = no_digit
    return Lessons(own, targets)


def fine_tune(base: Base, own: Lessons, plan: Plan, seed: int, bfloat16: bool = False) -> ConvNetwork:
    """A copy of the base network, trained further, in evaluation mode; its probabilities hold for the same share as the base's.

    own : at least one sample. bfloat16 : whether the convolutions of the way "all" compute in it.
    """
    network = _seen(base.network, base.card)
    tiles = own.variants.tiles
    if plan.way == "head":
        own_inputs = _features(network, tiles.reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)).reshape(*tiles.shape[:2], -1)
        _descend(network.head, own_inputs, own, (_features(network, base.replay), base), plan, seed, bfloat16=False)
    else:
        replay = torch.from_numpy(base.replay)[:, None]
        _descend(network, torch.from_numpy(tiles)[:, :, None], own, (replay, base), plan, seed, bfloat16)
    shift_share(network, base.card.temperature, SEEN_SHARE, base.card.not_one_digit_share)
    return network.eval()


def _seen(network: ConvNetwork, card: ModelCard) -> ConvNetwork:
    """A copy whose probabilities hold for the share of "not one digit" that the loss sees, so that the loss does not move it."""
    shifted = copy.deepcopy(network)
    shift_share(shifted, card.temperature, card.not_one_digit_share, SEEN_SHARE)
    return shifted


def _features(network: ConvNetwork, tiles: NDArray[np.uint8]) -> Tensor:
    with torch.inference_mode():
        parts = [network.features(torch.from_numpy(as_model_input(tiles[at : at + BATCH]))) for at in range(0, len(tiles), BATCH)]
    return torch.cat(parts).clone()


def _descend(part: nn.Module, inputs: Tensor, own: Lessons, replayed: tuple[Tensor, Base], plan: Plan, seed: int, bfloat16: bool) -> None:
    """Train what takes the inputs: own ones (n, v, ...), replayed[0] (m, ...), uint8 tiles or float32 features."""
    rng = np.random.default_rng([seed, plan.steps])
    replay, base = replayed
    targets, answers = torch.from_numpy(own.targets), torch.from_numpy(base.answers)
    # Every digit comes as often, however many samples there are of it.
    labels = own.variants.labels
    chance = 1.0 / np.bincount(labels, minlength=NOT_ONE_DIGIT)[labels]
    chance /= chance.sum()
    optimiser = torch.optim.AdamW(part.parameters(), lr=plan.learning_rate, weight_decay=0.0)
    for step in range(plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * schedule(step / plan.steps)
        mine = rng.choice(len(labels), OWN_BATCH, p=chance), rng.integers(0, inputs.shape[1], OWN_BATCH)
        theirs = rng.choice(len(replay), REPLAY_BATCH, replace=False)
        batch = torch.cat([inputs[mine], replay[theirs]])
        if batch.dtype == torch.uint8:
            batch = batch.float() / 255.0
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = part(batch)
        wanted = torch.cat([targets[mine] / OWN_BATCH, answers[theirs] * (REPLAY_WEIGHT / REPLAY_BATCH)])
        loss = -(wanted * torch.log_softmax(logits.float() / base.card.temperature, 1)).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
