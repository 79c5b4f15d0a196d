"""One hand: the digits and letters somebody writes, alike but never the same twice, and how that hand leans and spaces them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from export.pages.digit_source import SET_WEIGHTS, DigitSet
from export.pages.lettering import HandFont, LetterSet
from export.pages.school_digits import school_digit
from export.pages.signs import drawn_sign, has_sign
from export.pages.sources import SheetSources
from export.pages.strokes import Stroke, TracedSign, outlined_sign
from export.pages.written_text import WordSet

VARIANTS_A_DIGIT: Final = 3
LETTERS_OF_A_SCRIPT: Final = 40
NEAT_SHARE: Final = 0.2
"""Of the hands, so many write almost as evenly as print: the pen's line of one width, each digit always in one shape."""
OUTLINED_SHARE: Final = 0.18
"""Of the hands, so many keep the outlines of their set: full loops, blots and the wear of real pens."""
SCHOOLED_SHARE: Final = 0.3
"""Of the neat hands, so many write digits as they are taught."""
FONT_DIGITS_SHARE: Final = 0.12
FONT_DIGITS_SHARE_OF_NEAT: Final = 0.35
"""Of the hands that have a font for their letters, so many take the digits from it too."""
SCRIPT_SHARE: Final = 0.08
"""So many hands write words in another script than the Latin, where there are fonts of it."""
NEAT_SPREAD: Final = 0.2
"""How unlike each other a neat hand's digits are, against those of other hands."""
_LEAN_TOLERANCE: Final = 0.22
_CANDIDATES: Final = 14
_MIDDLE: Final = np.array([0, 0.5], np.float32)
_WAVES: Final = np.array([[0.0, 7.5, 4.2, 0.0], [4.2, 0.0, 0.0, 7.5]], np.float32)
"""How many radians a bend runs through in one height: two slow ones across the stroke's direction, two quick ones along it."""


@dataclass(slots=True)
class Writer:
    """A hand.

    home : the set its digits come from. forms : for each digit the few shapes it uses, chosen when it is first written.
    form_slant : how far the chosen shapes lean. outlined : whether digits keep the outlines of the set, or its strokes alone.
    slant : how far tops lean right beyond that, in heights. stretch : width against what the sets show.
    wobble : how far a path strays, in heights. gap : free space between signs, in heights, may be negative.
    uneven : spread of size and of the line written on, in heights. line_width_follows : how far the pen repeats the set's thick and thin.
    barred, flagged, slashed : whether 7, 1, 0 get extra strokes. neat : whether a digit looks nearly the same each time.
    schooled : whether it looks as it is taught. font_digits : whether it is the font's.
    alphabet : letters of another script that stand for the Latin ones, empty where a hand writes those.
    font, letters, words : where letters and whole words come from; None if the sources hold none.
    """

    home: DigitSet
    form_slant: float
    outlined: bool
    slant: float
    stretch: float
    wobble: float
    gap: float
    uneven: float
    line_width_follows: float
    barred: bool
    flagged: bool
    slashed: bool
    neat: bool
    schooled: bool
    font_digits: bool
    alphabet: str
    font: HandFont | None
    letters: LetterSet | None
    words: WordSet | None
    forms: dict[int, list[TracedSign]] = field(default_factory=dict)
    letter_choice: dict[str, int] = field(default_factory=dict)

    @property
    def digit_width(self) -> float:
        """About how wide a digit gets, in heights."""
        return 0.6 * self.stretch

    def digit(self, value: int, rng: np.random.Generator) -> TracedSign:
        """One of this hand's shapes of a digit, with the strokes other countries add where this hand does so."""
        if value not in self.forms:
            self.forms[value] = self._choose_forms(value, rng)
        forms = self.forms[value]
        sign = forms[int(rng.integers(len(forms)))]
        if sign.bitmap is not None:
            return sign
        if value == 7 and self.barred:
            return _with(sign, _bar_of_seven(sign, rng))
        if value == 1 and self.flagged:
            return _with(sign, _flag_of_one(sign, rng))
        if value == 0 and self.slashed:
            return _with(sign, _slash_of_zero(sign, rng))
        return sign

    def _choose_forms(self, value: int, rng: np.random.Generator) -> list[TracedSign]:
        if self.schooled:
            return [school_digit(value, rng)]
        if self.font_digits and self.font is not None and (found := self.font.letter(str(value))) is not None:
            return [replace(found, bearing=0.0, advance=0.0)]
        return _forms(rng, self.home, value, self.form_slant, self.outlined)[: 1 if self.neat else None]

    def character(self, character: str, rng: np.random.Generator, alone: bool = True) -> TracedSign | None:
        """A letter or sign; None where this hand has none for it. alone : whether it must not look like a digit."""
        if self.alphabet and self.font is not None and character.isalpha():
            return self.font.letter(self.alphabet[ord(character) % len(self.alphabet)])
        if has_sign(character) and (character != "I" or self.font is None or rng.random() < 0.5):
            return drawn_sign(character)
        if self.font is not None and (found := self.font.letter(character)) is not None:
            return found
        return self._real_letter(character, alone, rng)

    def _real_letter(self, character: str, alone: bool, rng: np.random.Generator) -> TracedSign | None:
        """A real letter of the hand's script, the same one for the same character."""
        if self.letters is None or not self.letters.glyphs:
            return None
        key = f"{character}{alone}"
        if key not in self.letter_choice:
            choices = [i for i, kept in enumerate(self.letters.alone) if kept] if alone else range(len(self.letters.glyphs))
            self.letter_choice[key] = int(choices[int(rng.integers(len(choices)))])
        return self.letters.traced(self.letter_choice[key])

    def placed(self, sign: TracedSign, rng: np.random.Generator) -> TracedSign:
        """A sign as it comes out this time: a little turned, stretched and bent. The slant comes later, with the line."""
        unlike = NEAT_SPREAD if self.neat else 1.0
        angle = float(rng.normal(0, 0.035 * unlike))
        stretch_x = self.stretch * float(np.exp(rng.normal(0, 0.06 * unlike)))
        stretch_y = float(np.exp(rng.normal(0, self.uneven * 0.6)))
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos * stretch_x, -sin], [sin * stretch_x, cos * stretch_y]], np.float32)
        phase, amount = rng.uniform(0, 2 * np.pi, 4), rng.normal(0, self.wobble, 4)
        strokes = tuple(self._bent(stroke, turn, phase, amount, sign.pen) for stroke in sign.strokes)
        links = tuple(self._bent(stroke, turn, phase, amount, sign.pen) for stroke in sign.links)
        return replace(sign, strokes=strokes, width=sign.width * stretch_x, links=links)

    def _bent(
        self, stroke: Stroke, turn: NDArray[np.float32], phase: NDArray[np.float64], amount: NDArray[np.float64], pen: float
    ) -> Stroke:
        at = (stroke[:, :2] - _MIDDLE) @ turn.T
        bent = np.empty_like(stroke)
        waves = np.sin(at @ _WAVES + phase) * amount
        bent[:, 0] = at[:, 0] + waves[:, 0] + waves[:, 1]
        bent[:, 1] = at[:, 1] + waves[:, 2] + waves[:, 3] + 0.5
        bent[:, 2] = np.clip(stroke[:, 2] * (2 / max(pen, 1e-3)), 0.4, 1.8) ** self.line_width_follows
        return bent


def choose_writer(rng: np.random.Generator, sources: SheetSources, script_share: float = SCRIPT_SHARE) -> Writer:
    """A new hand, whose digits come mostly from one set and lean alike. script_share : see SCRIPT_SHARE."""
    weights = np.array([SET_WEIGHTS.get(each.name, 0.1) for each in sources.digits])
    home = sources.digits[int(rng.choice(len(weights), p=weights / weights.sum()))]
    lettering = sources.lettering
    draw = rng.random()
    font = letters = None
    if lettering.hand_fonts and draw < 0.72:
        font = lettering.hand_fonts[int(rng.integers(len(lettering.hand_fonts)))]
    has_digits = font is not None
    alphabet = ""
    if lettering.script_fonts and rng.random() < script_share:
        script = lettering.script_fonts[int(rng.integers(len(lettering.script_fonts)))]
        if script.alphabet:
            font, alphabet, has_digits = script, _some_letters(script.alphabet, rng), False
    if lettering.letters:
        letters = lettering.letters[int(rng.integers(len(lettering.letters)))]
    words = sources.words[int(rng.integers(len(sources.words)))] if sources.words else None
    chances = rng.random(3)
    european = rng.random() < 0.4
    neat = bool(rng.random() < NEAT_SHARE)
    unlike = NEAT_SPREAD if neat else 1.0
    return Writer(
        home=home,
        form_slant=float(rng.normal(0.12, 0.22)),
        outlined=bool(rng.random() < OUTLINED_SHARE and not neat),
        slant=float(rng.normal(0.0, 0.1)),
        stretch=float(np.exp(rng.normal(0, 0.12))),
        wobble=float(abs(rng.normal(0, 0.018 * unlike))),
        gap=float(rng.choice([rng.uniform(0.06, 0.22), rng.uniform(0.18, 0.5), rng.uniform(-0.06, 0.05)], p=[0.43, 0.45, 0.12])),
        uneven=float(rng.choice([rng.uniform(0.01, 0.06), rng.uniform(0.05, 0.2)], p=[0.75, 0.25])) * unlike,
        line_width_follows=float(rng.uniform(0.1, 0.8)) * unlike,
        barred=bool(european and chances[0] < 0.7),
        flagged=bool(european and chances[1] < 0.7),
        slashed=bool(chances[2] < 0.04),
        neat=neat,
        schooled=bool(neat and rng.random() < SCHOOLED_SHARE),
        font_digits=bool(has_digits and rng.random() < (FONT_DIGITS_SHARE_OF_NEAT if neat else FONT_DIGITS_SHARE)),
        alphabet=alphabet,
        font=font,
        letters=letters,
        words=words,
    )


def _some_letters(alphabet: str, rng: np.random.Generator) -> str:
    return "".join(rng.permutation(list(alphabet))[:LETTERS_OF_A_SCRIPT])


def _forms(rng: np.random.Generator, home: DigitSet, digit: int, slant: float, outlined: bool) -> list[TracedSign]:
    indices = home.by_digit[digit]
    candidates = indices[rng.integers(0, len(indices), _CANDIDATES)]
    order = np.argsort(np.abs(home.slants[candidates] - slant) > _LEAN_TOLERANCE, kind="stable")
    wanted = int(rng.integers(1, VARIANTS_A_DIGIT + 1))
    if outlined:
        return [outlined_sign(home.glyphs[int(index)]) for index in candidates[order][:wanted]]
    found = []
    for index in candidates[order]:
        traced = home.traced(int(index), digit)
        if traced is not None:
            found.append(traced)
        if len(found) == wanted:
            break
    return found or [outlined_sign(home.glyphs[int(candidates[0])])]


def _with(sign: TracedSign, extra: Stroke | None) -> TracedSign:
    return sign if extra is None else replace(sign, strokes=(*sign.strokes, extra))


def _line(start: tuple[float, float], end: tuple[float, float], half_width: float) -> Stroke:
    along = np.linspace(0, 1, 8, dtype=np.float32)[:, None]
    at = np.array(start, np.float32) * (1 - along) + np.array(end, np.float32) * along
    return np.column_stack([at, np.full(8, half_width, np.float32)]).astype(np.float32)


def _at_height(sign: TracedSign, y: float) -> float:
    points = np.concatenate(sign.strokes)
    return float(points[int(np.argmin(np.abs(points[:, 1] - y))), 0])


def _bar_of_seven(sign: TracedSign, rng: np.random.Generator) -> Stroke | None:
    points = np.concatenate(sign.strokes)
    near = points[np.abs(points[:, 1] - 0.5) < 0.08]
    # A second stroke at half height is a bar already.
    if near.size == 0 or float(np.ptp(near[:, 0])) > 0.22:
        return None
    y, reach, tilt = float(rng.uniform(0.42, 0.6)), float(rng.uniform(0.13, 0.3)), float(rng.uniform(-0.06, 0.1))
    x = _at_height(sign, y)
    return _line((x - reach, y + tilt), (x + reach, y - tilt), sign.pen / 2)


def _flag_of_one(sign: TracedSign, rng: np.random.Generator) -> Stroke | None:
    if sign.width > 0.5:
        return None
    x = _at_height(sign, 0.02)
    reach, drop = float(rng.uniform(0.12, 0.36)), float(rng.uniform(0.1, 0.42))
    return _line((x, 0.03), (x - reach, drop), sign.pen / 2)


def _slash_of_zero(sign: TracedSign, rng: np.random.Generator) -> Stroke:
    over = float(rng.uniform(-0.12, 0.08))
    return _line((-over, 1 + over), (sign.width + over, -over), sign.pen / 2)
