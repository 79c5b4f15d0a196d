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

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_digits.options import RecognitionOptions, SourceOptions
from edge_digits.paper.glyphs import find_glyphs
from edge_digits.paper.ink import find_ink
from edge_digits.paper.page import find_page
from edge_digits.paper.tiles import make_tiles
from edge_digits.recognition.classifier import Classifier
from edge_digits.sources.images import open_frames

SUREST_KEPT: Final = (0.5, 0.5, 0.9, 0.97, 0.97, 0.9, 0.9, 0.97, 0.95, 0.9)
"""For each digit the probability above which a mined glyph is taken for a look-alike and left out."""
MOST_A_PAGE: Final = 900
LARGEST_SIDE_PX: Final = 64


def mine_page(path: Path, classifier: Classifier, random: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Glyph pictures, uint8 (h, w) with ink 255, proposed on a page without digits and not taken for look-alikes."""
    frame = next(open_frames(path, SourceOptions()))
    glyphs = [h.picture for h in find_glyphs(find_ink(find_page(frame))).hypotheses]
    if not glyphs:
        return []
    digits = classifier.predict(make_tiles(glyphs)).probabilities[:, :10]
    best = digits.argmax(axis=1)
    kept = np.flatnonzero(digits[np.arange(len(best)), best] <= np.array(SUREST_KEPT)[best])
    if len(kept) > MOST_A_PAGE:
        kept = random.choice(kept, MOST_A_PAGE, replace=False)
    return [glyphs[i] for i in sorted(kept)]


def shrink(glyph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most LARGEST_SIDE_PX a side: what augmentation works at."""
    scale = LARGEST_SIDE_PX / max(glyph.shape)
    if scale >= 1.0:
        return glyph
    size = max(1, round(glyph.shape[1] * scale)), max(1, round(glyph.shape[0] * scale))
    return np.asarray(cv2.resize(glyph, size, interpolation=cv2.INTER_AREA), np.uint8)


def main(argv: list[str] | None = None) -> int:
    """Mine a folder; prints how many glyphs each page gave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, action="append", required=True, help="folder of pictures of pages without digits; may be given again")
    parser.add_argument("--pattern", action="append", help="which files in it (default: *.jpg); may be given again")
    parser.add_argument("--model", default="default", help="first model, to leave look-alikes out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    paths = sorted({p for folder in arguments.pages for pattern in arguments.pattern or ["*.jpg"] for p in folder.glob(pattern)})
    if not paths:
        print(f"{', '.join(map(str, arguments.pages))}: no picture matches; check --pages and --pattern", file=sys.stderr)
        return 2
    classifier = Classifier(RecognitionOptions(model=arguments.model, provider="cpu"))
    random = np.random.default_rng(arguments.seed)
    glyphs: list[NDArray[np.uint8]] = []
    for path in tqdm(paths, unit="page", file=sys.stderr):
        found = [shrink(g) for g in mine_page(path, classifier, random)]
        print(f"{path.name}: {len(found)}", file=sys.stderr)
        glyphs.extend(found)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    shapes = np.array([g.shape for g in glyphs], np.int32).reshape(-1, 2)
    np.savez_compressed(arguments.out, pixels=np.concatenate([g.ravel() for g in glyphs] or [np.zeros(0, np.uint8)]), shapes=shapes)
    print(f"{arguments.out}: {len(glyphs)} glyphs from {len(paths)} pages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
