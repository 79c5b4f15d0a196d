"""What a user may choose, one frozen dataclass a room; names equal those of the command line.

Each class checks its values when it is built and raises UsageError with the value and the allowed range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from edge_digits.errors import UsageError

Provider = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "int8", "float"]
Rotate = Literal["auto", "0", "90", "180", "270"]

PROVIDERS: Final = ("auto", "cpu", "cuda")
PRECISIONS: Final = ("auto", "int8", "float")
ROTATIONS: Final = ("auto", "0", "90", "180", "270")

DEFAULT_MAX_MEGAPIXELS: Final = 100.0
"""Largest picture decoded unless asked otherwise, in 10**6 pixels: twice today's largest flat-bed A4 scans
at 800 dpi (62 MP) would be over it, every phone's default mode is under it, and decoded it needs 0.4 GB."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How inputs are opened.

    max_megapixels : pictures with more than this many million pixels are refused before decoding; > 0.
    dpi : resolution at which document pages (PDF) are rendered, dots per inch, 36..1200.
    """

    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    dpi: int = 200

    def __post_init__(self) -> None:
        if not self.max_megapixels > 0:
            raise UsageError(f"max-megapixels is {self.max_megapixels}; give a number above 0")
        if not 36 <= self.dpi <= 1200:
            raise UsageError(f"dpi is {self.dpi}; give a number from 36 to 1200")


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """How the page lies in the picture.

    rotate : degrees clockwise by which the picture must be turned to be upright; "auto" tells it from what the glyphs
        then are, and leaves the page as it is in doubt.
    """

    rotate: Rotate = "auto"

    def __post_init__(self) -> None:
        if self.rotate not in ROTATIONS:
            raise UsageError(f"rotate is '{self.rotate}'; choose one of {', '.join(ROTATIONS)}")


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Which model judges the tiles, and where it runs.

    model : name of a shipped or adapted model, or path of an .onnx file; "default" is the shipped default.
    provider : "auto" takes CUDA only when a session really obtained it; "cuda" fails when it is not obtained.
    precision : "auto" is int8 on the CPU, float where the model has no int8 file, and float on CUDA.
    threads : threads within one run, 1..256; 0 takes one a physical core, at most 4.
    """

    model: str = "default"
    provider: Provider = "auto"
    precision: Precision = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        if self.provider not in PROVIDERS:
            raise UsageError(f"provider is '{self.provider}'; choose one of {', '.join(PROVIDERS)}")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision is '{self.precision}'; choose one of {', '.join(PRECISIONS)}")
        if not 0 <= self.threads <= 256:
            raise UsageError(f"threads is {self.threads}; give 0 (choose for me) or a number up to 256")
        if not self.model:
            raise UsageError("model is empty; give a model name or the path of an .onnx file")


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What counts as a digit that may be named.

    min_confidence : digits below this confidence are "?" in the text, 0..1.
        None takes the threshold stored in the model.
    max_error : in its place, the share of the named digits that may be wrong, above 0 and below 1; the threshold then
        comes from the confidence curve stored beside the model.
    calibrated : False gives the networks' own probabilities as confidence, on which a curve is fitted.
    expect : what numbers are, such as "integer", "date:dmy" or "digits:6" (reading/expect.py); None expects nothing.
    all_candidates : True tells all guesses of every digit in a page's JSON object, not only those of unsure digits.
    """

    min_confidence: float | None = None
    max_error: float | None = None
    calibrated: bool = True
    expect: str | None = None
    all_candidates: bool = False

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0.0 <= self.min_confidence <= 1.0:
            raise UsageError(f"min-confidence is {self.min_confidence}; give a number from 0 to 1")
        if self.max_error is not None and not 0.0 < self.max_error < 1.0:
            raise UsageError(f"max-error is {self.max_error:g}; give a share above 0 and below 1, such as 1/1000, 0.001 or 0.1%")
        if self.min_confidence is not None and self.max_error is not None:
            raise UsageError("min-confidence and max-error both say which digits are named; give one of them")


@dataclass(frozen=True, slots=True)
class Options:
    """All rooms' options together, as a Reader takes them."""

    source: SourceOptions = field(default_factory=SourceOptions)
    recognition: RecognitionOptions = field(default_factory=RecognitionOptions)
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    paper: PaperOptions = field(default_factory=PaperOptions)
