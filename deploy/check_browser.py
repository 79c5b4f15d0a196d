"""Does the model in the browser do what the Python runtime does? Checked in a real Chromium on the built folder deploy/web/dist.

    (cd deploy/web && npm ci --ignore-scripts && npm run build)
    python -m deploy.check_browser --mnist FOLDER

The tile rule in JavaScript against tiles.py on the golden vectors and on glyphs made by chance; labels of the 10,000
MNIST test tiles against ONNX Runtime in Python; the accuracy that the page shows; the head that it fits against head.py, and
which method it chooses with which figures against adaptation.py. Writes deploy/results/browser.json; exit code 1 when tiles
differ by more than 1 of 255, a label differs, or another method is chosen.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.chromium import open_chromium, open_page, serve_folder
from deploy.serving import machine
from edge_digits.paper.tiles import as_model_input, make_tile
from edge_digits.personal.adaptation import choose_head, outputs_of, own_digits
from edge_digits.personal.head import FitOptions, Outputs, fit_head
from edge_digits.personal.methods import Kept
from edge_digits.personal.reserve import load_reserve
from edge_digits.recognition.classifier import Classifier

HERE = Path(__file__).resolve().parent
DIST = HERE / "web" / "dist"
SOURCE = HERE / "web" / "src"
GOLDEN = HERE.parent / "tests" / "paper" / "golden_tiles.npz"
RESULT = HERE / "results" / "browser.json"
PICTURES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
MOST_LEVELS = 1
CHANCE_GLYPHS = 600
FITTED = 100
FIT = (0.003, 4.0)
"""Strength and weight of the reserve."""
CHOSEN = 60

Glyph = NDArray[np.uint8]


def golden_glyphs() -> dict[str, tuple[Glyph, Glyph]]:
    """Name -> glyph and tile of the shared golden vectors."""
    with np.load(GOLDEN) as arrays:
        names = [name.removeprefix("glyph_") for name in arrays.files if name.startswith("glyph_")]
        return {name: (arrays[f"glyph_{name}"], arrays[f"tile_{name}"]) for name in names}


def chance_glyphs(count: int, seed: int = 1) -> list[Glyph]:
    """Glyphs of noise, of smooth blots and of blocks, faint and full, of all shapes from one pixel: uint8 (h, w)."""
    chance = np.random.default_rng(seed)
    glyphs = []
    for index in range(count):
        height, width = chance.integers(1, 90, 2)
        levels = chance.integers(0, 256, (height, width)).astype(float)
        if index % 3 == 1:
            levels = np.kron(chance.integers(0, 2, (8, 6)) * 255.0, np.ones((1 + height // 8, 1 + width // 6)))
        elif index % 3 == 2:
            y, x = np.indices((height, width))
            levels = 255.0 * np.exp(-(((y - height / 2) / (2 + height / 4)) ** 2 + ((x - width / 3) / (2 + width / 5)) ** 2))
        glyphs.append((levels * chance.uniform(0.15, 1.0)).astype(np.uint8))
    return glyphs


def tiles_in_browser(page: Any, address: str, glyphs: list[Glyph]) -> list[Glyph]:
    """What tiles.js makes of the glyphs."""
    script = """async ([address, glyphs]) => {
        const { makeTile } = await import(address + "tiles.js");
        return glyphs.map(([height, width, levels]) => Array.from(makeTile({ width, height, data: Uint8Array.from(levels) }).data));
    }"""
    given = [[*map(int, glyph.shape), glyph.ravel().tolist()] for glyph in glyphs]
    return [np.array(tile, np.uint8).reshape(28, 28) for tile in page.evaluate(script, [address, given])]


def compare_tiles(page: Any, address: str, count: int = CHANCE_GLYPHS) -> dict[str, Any]:
    """Largest difference in levels of 255, on the golden vectors and on glyphs made by chance."""
    golden = golden_glyphs()
    others = chance_glyphs(count)
    ours = tiles_in_browser(page, address, [*(glyph for glyph, _ in golden.values()), *others])
    wanted = [*(tile for _, tile in golden.values()), *map(make_tile, others)]
    worst = [int(np.abs(a.astype(int) - b).max()) for a, b in zip(ours, wanted, strict=True)]
    return {
        "golden_glyphs": len(golden),
        "golden_largest_difference": max(worst[: len(golden)]),
        "chance_glyphs": len(others),
        "chance_largest_difference": max(worst[len(golden) :], default=0),
        "tiles_that_differ": sum(difference > 0 for difference in worst),
    }


def measure_mnist(page: Any, pictures: Path, labels: Path) -> tuple[str, list[int]]:
    """What the page shows of a set that is given to it, and the label it found for each tile."""
    page.set_input_files("#mnist-files", [str(pictures), str(labels)])
    page.wait_for_selector("#model-state:has-text('read rightly')")
    found = page.evaluate("async () => (await import('./engine.js')).engine.found")
    return page.inner_text("#model-state"), found


def compare_fit(page: Any, tiles: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
    """Largest difference of a weight of the head that is fitted to the first tiles, the rest being the reserve."""
    classifier = Classifier()
    logits, features = classifier.base_outputs(as_model_input(tiles))
    own, rest = np.arange(FITTED), np.arange(FITTED, len(tiles))
    outputs = Outputs(logits, features)
    expected = fit_head(
        outputs.take(own), labels[:FITTED].astype(np.int64), outputs.take(rest), FitOptions(FIT[0], FIT[1], classifier.card.temperature)
    )
    script = """async ([tiles, labels, fitted, strength, reserveWeight]) => {
        const { engine } = await import("./engine.js");
        const { fitHead } = await import("./head.js");
        const { logits, features } = await engine.classifier.run(tiles.map((tile) => Uint8Array.from(tile)));
        const part = (from, to) => ({ logits: logits.slice(from, to), features: features.slice(from, to) });
        const options = { strength, reserveWeight, temperature: engine.classifier.temperature };
        const { weights, bias } = fitHead(part(0, fitted), labels.slice(0, fitted), part(fitted), options);
        return [weights.map((row) => Array.from(row)), Array.from(bias)];
    }"""
    weights, bias = page.evaluate(script, [tiles.reshape(len(tiles), -1).tolist(), labels.tolist(), FITTED, *FIT])
    return float(max(np.abs(np.array(weights) - expected.weights).max(), np.abs(np.array(bias) - expected.bias).max()))


def compare_choice(page: Any, tiles: NDArray[np.uint8], labels: NDArray[np.uint8]) -> dict[str, Any]:
    """What cross-validation chooses here and there for mirrored digits, a hand that must be learned, with the shipped reserve."""
    classifier, reserve = Classifier(), load_reserve()
    mirrored = np.ascontiguousarray(tiles[:, :, ::-1])
    kept = Kept(outputs_of(classifier, as_model_input(reserve.tiles)), reserve.labels)
    own = own_digits(classifier, mirrored, labels.astype(np.int64))
    expected = choose_head(own, kept, classifier.card.temperature)
    script = """async ([tiles, labels]) => {
        const { engine } = await import("./engine.js");
        const { chooseHead } = await import("./adaptation.js");
        const given = tiles.map((tile) => Uint8Array.from(tile));
        const own = await engine.withCopies({ tiles: given, outputs: await engine.classifier.run(given), labels });
        const { difference, figures } = await chooseHead(own, await engine.reserve(), engine.classifier.temperature);
        const plain = (rows) => rows.map((row) => Array.from(row));
        return [plain(difference.weights), own.copies.map(({ logits }) => plain(logits)), figures];
    }"""
    weights, copies, figures = page.evaluate(script, [mirrored.reshape(len(tiles), -1).tolist(), labels.tolist()])
    ours = expected.figures.to_dict()
    same = ("samples", "folds", "own_errors_before", "reserve_errors_before", "method", "strength", "reserve_weight")
    return {
        "samples": len(tiles),
        "method": {"browser": figures["method"], "python": ours["method"]},
        "own_errors_after": {
            "browser": figures["own_errors_after"],
            "python": ours["own_errors_after"],
            "before": ours["own_errors_before"],
        },
        "reserve_errors_after": {"browser": figures["reserve_errors_after"], "python": ours["reserve_errors_after"]},
        "own_loss_after": {"browser": figures["own_loss_after"], "python": ours["own_loss_after"]},
        "copies_logits_largest_difference": round(
            max(float(np.abs(np.array(js) - py.logits).max()) for js, py in zip(copies, own.copies, strict=True)), 4
        ),
        "weights_difference_of_their_length": round(
            float(np.linalg.norm(np.array(weights) - expected.difference.weights) / np.linalg.norm(expected.difference.weights)), 5
        ),
        "same": all(figures[name] == ours[name] for name in same),
    }


def read_mnist(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Test tiles uint8 (10000, 28, 28), ink 255, and labels uint8 (10000,)."""
    pictures = np.frombuffer(gzip.decompress((folder / PICTURES).read_bytes()), np.uint8, offset=16)
    return pictures.reshape(-1, 28, 28), np.frombuffer(gzip.decompress((folder / LABELS).read_bytes()), np.uint8, offset=8)


def check(folder: Path) -> dict[str, Any]:
    """All comparisons, as they are recorded. folder : with the MNIST test files."""
    tiles, labels = read_mnist(folder)
    classifier = Classifier()
    logits = np.concatenate([classifier.logits(as_model_input(tiles[at : at + 500])) for at in range(0, len(tiles), 500)])
    expected = logits.argmax(axis=1)
    with open_chromium() as browser, serve_folder(DIST) as address, open_page(browser, address) as page:
        compared = compare_tiles(page, address)
        started = perf_counter()
        shown, found = measure_mnist(page, folder / PICTURES, folder / LABELS)
        seconds = perf_counter() - started
        fit = compare_fit(page, tiles[:400], labels[:400])
        chosen = compare_choice(page, tiles[:CHOSEN], labels[:CHOSEN])
        version = browser.version
    return {
        "made": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "chromium": version,
        **json.loads((DIST / "runtime.json").read_text(encoding="utf-8")),
        "model": {"name": classifier.name, "precision": classifier.precision, "sha256": classifier.sha256},
        "tile_rule": compared,
        "mnist_test": {
            "tiles": len(tiles),
            "labels_that_differ_from_python": int((np.array(found) != expected).sum()),
            "accuracy_percent_browser": round(100.0 * float((np.array(found) == labels).mean()), 2),
            "accuracy_percent_python": round(100.0 * float((expected == labels).mean()), 2),
            "shown": shown,
            "seconds_with_loading": round(seconds, 1),
        },
        "head_fit_largest_weight_difference": fit,
        "adaptation": chosen,
    }


def main() -> int:
    """Check and write the record."""
    parser = argparse.ArgumentParser(description="compare the model in the browser with the Python runtime, in a real Chromium")
    parser.add_argument("--mnist", type=Path, required=True, metavar="FOLDER", help=f"with {PICTURES} and {LABELS}")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    if not (DIST / "index.html").is_file():
        print("deploy/web/dist is not built; run: cd deploy/web && npm ci --ignore-scripts && npm run build", file=sys.stderr)
        return 2
    record = check(arguments.mnist)
    arguments.out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(record, ensure_ascii=False))
    rule = record["tile_rule"]
    worst = max(rule["golden_largest_difference"], rule["chance_largest_difference"])
    differs = record["mnist_test"]["labels_that_differ_from_python"] > 0 or not record["adaptation"]["same"]
    return int(worst > MOST_LEVELS or differs)


if __name__ == "__main__":
    sys.exit(main())
