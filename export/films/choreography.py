"""What happens in a film, second by second: a hand moves a sheet in, things disturb it, the hand takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

EMPTY_S: Final = (0.3, 0.5)
SLIDE_S: Final = (0.6, 1.0)
HOLD_S: Final = (0.2, 0.4)
"""How long the hand stays on the sheet once that lies still."""
HAND_S: Final = 0.4
"""How long the hand takes to go, or to come back."""
FIRST_REST_S: Final = (0.9, 1.2)
REST_S: Final = (0.3, 0.5)
EMPTY_AFTER_S: Final = 0.9
DISTURBANCES: Final = {"shake": (0.4, 0.7), "shadow": (0.8, 1.2), "focus": (0.5, 0.8)}
"""Kind -> how long it lasts, seconds."""
DISTURBED: Final = 2
"""So many of them happen in one film."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of the scene at one time.

    away : how far the sheet is from its place, 0 lies there, 1 out of sight. turn_deg : how far it is turned meanwhile.
    hand : how far the hand is from the sheet's edge, 0 holds it, 1 out of sight. holds : whether the hand moves with the sheet.
    shake : 0..1, how strongly the camera is shaken. shadow : 0..1 how far a shadow has passed over, None without one.
    blur : 0..1, how far out of focus.
    """

    away: float = 1.0
    turn_deg: float = 0.0
    hand: float = 1.0
    shake: float = 0.0
    shadow: float | None = None
    blur: float = 0.0


@dataclass(frozen=True, slots=True)
class Choreography:
    """When what happens, in seconds from the film's beginning.

    slide_in, slide_out : from, to. gone, back : when the hand begins to leave, and to come back. disturbances : (kind, from, to).
    side_deg : where the sheet comes from, clockwise from the right. askew_deg : how far it is turned on its way.
    """

    slide_in: tuple[float, float]
    gone: float
    back: float
    slide_out: tuple[float, float]
    length_s: float
    disturbances: tuple[tuple[str, float, float], ...]
    side_deg: float
    askew_deg: float

    @property
    def rest_s(self) -> float:
        """When the sheet has come to lie still."""
        return self.slide_in[1]

    def at(self, time_s: float) -> Moment:
        """The scene at a time."""
        if time_s < (self.slide_in[1] + self.slide_out[0]) / 2:
            away, hand = 1 - _eased(time_s, *self.slide_in), _eased(time_s, self.gone, self.gone + HAND_S)
        else:
            away, hand = _eased(time_s, *self.slide_out), 1 - _eased(time_s, self.back, self.back + HAND_S)
        shake = blur = 0.0
        shadow = None
        for kind, start, end in self.disturbances:
            if start <= time_s < end:
                share = (time_s - start) / (end - start)
                swell = float(np.sin(np.pi * share))
                shake, blur = (swell if kind == "shake" else shake), (swell if kind == "focus" else blur)
                shadow = share if kind == "shadow" else shadow
        return Moment(away, self.askew_deg * away, hand, shake, shadow, blur)


def choreograph(rng: np.random.Generator) -> Choreography:
    """A random film: in, a rest, two of shaking, a shadow and a change of focus with rests between, out."""
    start = rng.uniform(*EMPTY_S)
    rest = start + rng.uniform(*SLIDE_S)
    gone = rest + rng.uniform(*HOLD_S)
    now = gone + HAND_S + rng.uniform(*FIRST_REST_S)
    happened = []
    for kind in rng.permutation(list(DISTURBANCES))[:DISTURBED]:
        end = now + rng.uniform(*DISTURBANCES[str(kind)])
        happened.append((str(kind), float(now), float(end)))
        now = end + rng.uniform(*REST_S)
    leave = now + HAND_S
    out = leave + rng.uniform(*SLIDE_S)
    side = float(rng.choice([0.0, 90.0, 180.0, 270.0]) + rng.normal(0, 12))
    return Choreography(
        (float(start), float(rest)),
        float(gone),
        float(now),
        (float(leave), float(out)),
        float(out + EMPTY_AFTER_S),
        tuple(happened),
        side,
        float(rng.normal(0, 12)),
    )


def _eased(time_s: float, start: float, end: float) -> float:
    """0 before start, 1 after end, smooth between."""
    share = float(np.clip((time_s - start) / (end - start), 0, 1))
    return share * share * (3 - 2 * share)
