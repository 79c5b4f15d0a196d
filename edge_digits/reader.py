"""The corridor: the only place that knows the order of the rooms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

from numpy.typing import NDArray

from edge_digits.options import (
    DEFAULT_MAX_MEGAPIXELS,
    Options,
    PaperOptions,
    Precision,
    Provider,
    ReadingOptions,
    RecognitionOptions,
    Rotate,
    SourceOptions,
)
from edge_digits.paper.glyphs import Glyphs, find_pieces
from edge_digits.paper.ink import Ink, find_ink
from edge_digits.paper.page import Page, find_page
from edge_digits.paper.tiles import make_tiles
from edge_digits.paper.tilt import find_tilt, level_page
from edge_digits.paper.turning import turn_page
from edge_digits.reading.confidence import calibrate
from edge_digits.reading.expect import parse_expectation
from edge_digits.reading.layout import arrange
from edge_digits.reading.reading import Reading
from edge_digits.recognition.classifier import Classifier, Predictions
from edge_digits.recognition.confidence_curve import load_curve, naming_threshold
from edge_digits.recognition.context import REJECT_THRESHOLD, load_context
from edge_digits.recognition.cutting import cut_where_unsure, sure_digits
from edge_digits.recognition.decode import choose_digits
from edge_digits.recognition.finder import agreed, evidence, load_finder, weigh, without_frames
from edge_digits.recognition.orientation import find_turn
from edge_digits.recognition.runs import read_runs
from edge_digits.recognition.seen_digits import add_seen_digits
from edge_digits.recognition.strings import load_strings
from edge_digits.sources.frame import Frame
from edge_digits.sources.images import open_frames

P = ParamSpec("P")
T = TypeVar("T")
Source = str | Path | bytes | NDArray[Any]


class Reader:
    """Reads handwritten digits off pictures of paper. Built once; safe to use from several threads.

    curve : what its confidence was worth on pages, None where that was never measured. min_confidence : the probability,
    as the networks give it before the curve, from which a digit is named.

    >>> Reader().read("note.jpg").text
    """

    def __init__(  # noqa: PLR0913 - every option by its name, and by its name only
        self,
        *,
        model: str = "default",
        provider: Provider = "auto",
        precision: Precision = "auto",
        threads: int = 0,
        min_confidence: float | None = None,
        max_error: float | None = None,
        expect: str | None = None,
        max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
        dpi: int = 200,
        rotate: Rotate = "auto",
        options: Options | None = None,
    ) -> None:
        """Load the model. See options.py for each value; `options`, when given, replaces all the others.

        Raises UsageError, ModelError, ProviderError, MissingExtraError.
        """
        self.options = options or Options(
            SourceOptions(max_megapixels, dpi),
            RecognitionOptions(model, provider, precision, threads),
            ReadingOptions(min_confidence, max_error, expect=expect),
            PaperOptions(rotate),
        )
        expected = self.options.reading.expect
        self.expectation = None if expected is None else parse_expectation(expected)
        self.classifier = Classifier(self.options.recognition)
        wishes, file, recognition = self.options.reading, self.classifier.file, self.options.recognition
        # A tile classifier that lies in a folder of its own is helped by the shipped companions, unless it brings others.
        self.context = load_context(recognition, file.folder) or load_context(recognition)
        self.strings = load_strings(recognition, file.folder) or load_strings(recognition)
        self.finder = load_finder(recognition, file.folder) or load_finder(recognition)
        threshold = self.classifier.reject_threshold if self.context is None else REJECT_THRESHOLD
        self.curve = load_curve(file.folder, self.networks) if wishes.calibrated else None
        self.min_confidence = naming_threshold(wishes, threshold, self.curve, self.classifier.name)
        self._model = {"name": self.classifier.name, "sha256": self.classifier.sha256, "precision": self.classifier.precision}

    @property
    def networks(self) -> tuple[str, ...]:
        """SHA-256 of every network that has a say in a digit's probability; a confidence curve holds for just these."""
        companions = [c.file.sha256 for c in (self.context, self.strings, self.finder) if c is not None and c.file is not None]
        return (self.classifier.sha256, *companions)

    def read(self, source: Source) -> Reading:
        """Read one picture: a path, the bytes of a file, or a uint8 array (h, w) or (h, w, 3) BGR.

        Of a document with several pages the first is read; `pages` reads all. Raises InputError.
        """
        return next(self.pages(source))

    def pages(self, source: Source) -> Iterator[Reading]:
        """Read every page of a source, one at a time. Raises InputError."""
        frames = open_frames(source, self.options.source)
        while True:
            started = perf_counter()
            frame = next(frames, None)
            if frame is None:
                return
            yield self.read_frame(frame, source_ms=(perf_counter() - started) * 1000.0)

    def read_frame(self, frame: Frame, source_ms: float | None = None) -> Reading:
        """Read one Frame, as cameras deliver it. source_ms : what opening it took, for the record."""
        elapsed: dict[str, float] = {} if source_ms is None else {"source": source_ms}
        clock = _Stopwatch(elapsed)
        rotate = self.options.paper.rotate
        page = clock.time("page", find_page, frame)
        glyphs, predictions = self._judge(page if rotate == "auto" else turn_page(page, -int(rotate) // 90), clock)
        maps = None if self.finder is None else clock.time("finder", self.finder.look, glyphs)
        if self.finder is not None and maps is not None and rotate == "auto":
            quarters = clock.time("orientation", find_turn, self.finder, self.classifier, glyphs, predictions, maps)
            if quarters:
                glyphs, predictions = self._judge(turn_page(glyphs.ink.page, quarters), clock)
                maps = clock.time("finder", self.finder.look, glyphs)
        if maps is not None:
            freed = clock.time("frames", without_frames, glyphs, maps)
            if freed is not None:
                glyphs, predictions = self._propose(freed, clock)
        sure = sure_digits(glyphs, predictions)
        seen = settled = None
        if maps is not None:
            glyphs, predictions = clock.time("seen", add_seen_digits, glyphs, maps, predictions, self.classifier)
            seen = clock.time("finder", evidence, maps, glyphs)
            settled = agreed(predictions, *seen)
        if self.context is not None:
            predictions = clock.time("context", self.context.judge, glyphs, predictions, settled)
        if seen is not None:
            predictions = clock.time("finder", weigh, predictions, *seen)
        runs = {} if self.strings is None else clock.time("strings", read_runs, glyphs, self.strings, sure, maps)
        chosen = clock.time("decode", choose_digits, glyphs, predictions, runs)
        lines = clock.time("layout", arrange, chosen, self.min_confidence, self.expectation)
        lines = clock.time("confidence", calibrate, lines, self.curve)
        elapsed["total"] = sum(elapsed.values())
        return Reading(frame.source, frame.page, frame.width, frame.height, lines, self._model, self.classifier.provider, elapsed)

    def _judge(self, page: Page, clock: _Stopwatch) -> tuple[Glyphs, Predictions]:
        """What may be digits on a page, and what the classifier says of each. A page whose lines slope is levelled first."""
        ink = clock.time("ink", find_ink, page)
        tilt_deg = clock.time("ink", find_tilt, ink)
        if tilt_deg:
            ink = clock.time("ink", find_ink, level_page(page, tilt_deg))
        return self._propose(ink, clock)

    def _propose(self, ink: Ink, clock: _Stopwatch) -> tuple[Glyphs, Predictions]:
        """What may be digits in the ink of a page, and what the classifier says of each."""
        glyphs = clock.time("glyphs", find_pieces, ink)
        tiles = clock.time("tiles", make_tiles, [h.picture for h in glyphs.hypotheses])
        predictions = clock.time("classifier", self.classifier.predict, tiles)
        return clock.time("cuts", cut_where_unsure, glyphs, predictions, self.classifier)


class _Stopwatch:
    """Runs a step and notes how long it took; a step that is run again adds to its time."""

    def __init__(self, elapsed_ms: dict[str, float]) -> None:
        self._elapsed_ms = elapsed_ms

    def time(self, stage: str, step: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        started = perf_counter()
        result = step(*arguments, **options)
        self._elapsed_ms[stage] = self._elapsed_ms.get(stage, 0.0) + (perf_counter() - started) * 1000.0
        return result
