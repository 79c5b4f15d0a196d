"""Cuts "not one digit" glyphs out of pictures of text pages, with the rooms that read pages.

What the reader proposes on a page without digits is exactly what the classifier must learn to refuse: letters, halves
of letters, pairs, underlines, shadows. A few letters are true look-alikes (o and 0, l and 1, s and 5, z and 2); what a
first model is sure about is therefore left out, the more readily the more often letters look like that digit.

    python -m export.mine --pages DIR --pattern 'breta_*.jpg' --pattern 'dewarp_*.jpg' --model MODEL.onnx --out mined.npz
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode
from edge_digits.options import RecognitionOptions, SourceOptions
from edge_digits.paper.glyphs import find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from edge_digits.sources.images import open_frames
from export.calibration_tiles import save_npz
from export.data.folder import shrink
from export.data.glyphs import SOURCE_SIDE_PX

SUREST_KEPT: Final = (0.5, 0.5, 0.9, 0.97, 0.97, 0.9, 0.9, 0.97, 0.95, 0.9)
"""For each digit the probability above which a mined glyph is taken for a look-alike and left out."""

MOST_A_PAGE: Final = 900


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command; says how many glyphs each page gave."""
    parser = argparse.ArgumentParser(prog="python -m export.mine", description="Cut glyphs that are not one digit out of text pages.")
    parser.add_argument("--pages", type=Path, action="append", required=True, metavar="DIR", help="folder of pages; may be given again")
    parser.add_argument("--pattern", action="append", metavar="GLOB", help="which files in it (default: *.jpg); may be given again")
    parser.add_argument("--model", default="default", help="first model, to leave look-alikes out: a name or the path of an .onnx file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .npz file to write")
    options = parser.parse_args(arguments)
    paths = sorted({path for folder in options.pages for pattern in options.pattern or ["*.jpg"] for path in folder.glob(pattern)})
    if not paths:
        parser.error(f"no picture matches in {', '.join(map(str, options.pages))}; check --pages and --pattern")
    try:
        classifier = Classifier(RecognitionOptions(model=options.model, provider="cpu"))
        glyphs, failed = mine_pages(paths, classifier, options.seed)
        save_npz(options.out, as_arrays(glyphs))
    except EdgeDigitsError as error:
        print(f"export.mine: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.out}: {len(glyphs)} glyphs from {len(paths) - failed} pages", file=sys.stderr)
    return ExitCode.SOME_INPUTS_FAILED if failed else ExitCode.OK


def mine_pages(paths: list[Path], classifier: Classifier, seed: int) -> tuple[list[NDArray[np.uint8]], int]:
    """The glyphs of all pages, and how many pages could not be read; each of those is one line on stderr."""
    rng = np.random.default_rng(seed)
    glyphs: list[NDArray[np.uint8]] = []
    failed = 0
    for path in tqdm(paths, unit="page", file=sys.stderr):
        try:
            found = mine_page(path, classifier, rng)
        except EdgeDigitsError as error:
            print(f"export.mine: {error}", file=sys.stderr)
            failed += 1
            continue
        print(f"{path.name}: {len(found)}", file=sys.stderr)
        glyphs += [shrink(glyph, SOURCE_SIDE_PX) for glyph in found]
    return glyphs, failed


def mine_page(path: Path, classifier: Classifier, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Glyphs, uint8 (h, w) with ink 255, proposed on a page without digits and not taken for look-alikes.

    Raises InputError for a file that is no picture.
    """
    frame = next(iter(open_frames(path, SourceOptions())))
    glyphs = [hypothesis.picture for hypothesis in find_glyphs(find_ink(find_page(frame))).hypotheses]
    if not glyphs:
        return []
    digits = classifier.predict(make_tiles(glyphs)).probabilities[:, :10]
    best = digits.argmax(axis=1)
    kept = np.flatnonzero(digits[np.arange(len(best)), best] <= np.array(SUREST_KEPT)[best])
    if len(kept) > MOST_A_PAGE:
        kept = rng.choice(kept, MOST_A_PAGE, replace=False)
    return [glyphs[index] for index in sorted(kept)]


def as_arrays(glyphs: list[NDArray[np.uint8]]) -> dict[str, NDArray[np.generic]]:
    """`pixels` uint8, all glyphs one after the other, and `shapes` int32 (n, 2): what `export.data.mined` reads."""
    return {
        "pixels": np.concatenate([glyph.ravel() for glyph in glyphs] or [np.zeros(0, np.uint8)]),
        "shapes": np.array([glyph.shape for glyph in glyphs], np.int32).reshape(-1, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
