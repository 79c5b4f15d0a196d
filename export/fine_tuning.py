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
from edge_digits.recognition.weights import ModelCard
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
"""What the replayed half weighs in the loss beside the person's. On trial, 3 samples a digit of Semeion, errors on the rest of it and
errors more on 5,000 digits of MNIST: weight 1, 71.5 to 32 and 11 more; weight 3, 71.5 to 38 and 8 more."""

SEEN_SHARE: Final = NEGATIVE_SHARE * REPLAY_BATCH / (OWN_BATCH + REPLAY_BATCH)
"""Share of "not one digit" among the tiles of a batch: the person's half holds none."""

HEAD_UP_TO: Final = 20
"""Up to so many samples the last layer alone is trained. On Semeion, as above: with 1 a digit 73.5 errors became 62.5 by the last layer
and 68.5 by all layers, which also cost more of MNIST; with 3 a digit 71.5 became 51 and 38."""
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


def fine_tune(base: Base, own: Variants, plan: Plan, seed: int, bfloat16: bool = False) -> ConvNetwork:
    """A copy of the base network, trained further, in evaluation mode; its probabilities hold for the same share as the base's.

    own : at least one sample. bfloat16 : whether the convolutions of the way "all" compute in it.
    """
    network = _seen(base.network, base.card)
    if plan.way == "head":
        own_inputs = _features(network, own.tiles.reshape(-1, TILE_SIDE_PX, TILE_SIDE_PX)).reshape(*own.tiles.shape[:2], -1)
        _descend(network.head, own_inputs, own.labels, (_features(network, base.replay), base), plan, seed, bfloat16=False)
    else:
        own_tiles = torch.from_numpy(own.tiles)[:, :, None]
        replay = torch.from_numpy(base.replay)[:, None]
        _descend(network, own_tiles, own.labels, (replay, base), plan, seed, bfloat16)
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


def _descend(
    part: nn.Module,
    own: Tensor,
    labels: NDArray[np.int64],
    replayed: tuple[Tensor, Base],
    plan: Plan,
    seed: int,
    bfloat16: bool,
) -> None:
    """Train what takes the inputs: own (n, v, ...), replayed[0] (m, ...), uint8 tiles or float32 features."""
    rng = np.random.default_rng([seed, plan.steps])
    replay, base = replayed
    answers, temperature = torch.from_numpy(base.answers), base.card.temperature
    wanted = torch.from_numpy(labels)
    # Every digit comes as often, however many samples there are of it.
    chance = 1.0 / np.bincount(labels, minlength=10)[labels]
    chance /= chance.sum()
    optimiser = torch.optim.AdamW(part.parameters(), lr=plan.learning_rate, weight_decay=0.0)
    for step in range(plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * schedule(step / plan.steps)
        mine = rng.choice(len(labels), OWN_BATCH, p=chance)
        theirs = rng.choice(len(replay), REPLAY_BATCH, replace=False)
        inputs = torch.cat([own[mine, rng.integers(0, own.shape[1], OWN_BATCH)], replay[theirs]])
        if inputs.dtype == torch.uint8:
            inputs = inputs.float() / 255.0
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = part(inputs)
        scaled = torch.log_softmax(logits.float() / temperature, 1)
        loss = (
            nn.functional.nll_loss(scaled[:OWN_BATCH], wanted[mine]) - REPLAY_WEIGHT * (answers[theirs] * scaled[OWN_BATCH:]).sum(1).mean()
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
