"""Latency of pages and tiles: what is measured, not how fast it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge_digits.bench.pages import given_pages, measure_page, opencv_threads, page_cases, synthetic_page
from edge_digits.bench.tiles import crossover, load_precisions, measure_tiles, model_facts
from edge_digits.bench.timing import Effort
from edge_digits.errors import InputNotFoundError, ModelNotFoundError
from edge_digits.options import Options, RecognitionOptions

FEW = Effort(rounds=2, warm_up=0)


def test_every_stage_of_a_page_is_summed_up() -> None:
    options = Options(recognition=RecognitionOptions(provider="cpu"))
    entry = measure_page(synthetic_page("default"), options, page_cases(options, [1, 2]), FEW)
    assert (entry["width"], entry["height"], entry["origin"]) == (1600, 1200, "synthetic")
    assert entry["digits"] > 30
    assert [(part["precision"], part["threads"]) for part in entry["cases"]] == [("int8", 1), ("int8", 2), ("float", 1), ("float", 2)]
    for part in entry["cases"]:
        assert {"source", "page", "ink", "glyphs", "tiles", "classifier", "layout", "total"} <= set(part["ms"])
        assert all(summary["count"] == 2 and summary["p50"] >= 0 for summary in part["ms"].values())


def test_a_missing_picture_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError):
        measure_page(given_pages([str(tmp_path / "none.jpg")])[0], Options(), page_cases(Options(), [1]), FEW)


def test_opencv_gets_its_threads_back() -> None:
    before = cv2.getNumThreads()
    with opencv_threads(3):
        assert cv2.getNumThreads() == 3
    assert cv2.getNumThreads() == before
    with opencv_threads(0):
        assert cv2.getNumThreads() == before


def test_int8_and_float_at_every_batch() -> None:
    entries = measure_tiles(RecognitionOptions(provider="cpu"), [1], [1, 3], FEW)
    cases = [(e["precision"], e["provider"], e["threads"], e["batch"]) for e in entries]
    assert cases == [(precision, "CPUExecutionProvider", 1, batch) for precision in ("int8", "float") for batch in (1, 3)]
    assert all(entry["call_ms"]["count"] == 2 for entry in entries)


def test_a_precision_that_is_asked_for_is_the_only_one() -> None:
    options = Options(recognition=RecognitionOptions(provider="cpu", precision="float"))
    assert page_cases(options, [2]) == [("float", "CPUExecutionProvider", 2)]


def tiles_entry(provider: str, precision: str, batch: int, us: float) -> dict[str, object]:
    return {"provider": f"{provider}ExecutionProvider", "precision": precision, "threads": 1, "batch": batch, "us_per_digit": us}


def test_cuda_crosses_over_where_it_stays_faster() -> None:
    cpu = [tiles_entry("CPU", "int8", batch, us) for batch, us in ((1, 60), (64, 40), (256, 39), (1024, 39))]
    cpu += [tiles_entry("CPU", "float", 256, 1.0)]
    cuda = [tiles_entry("CUDA", "float", batch, us) for batch, us in ((1, 900), (64, 30), (256, 41), (1024, 3))]
    assert crossover(cpu + cuda) == 1024
    cuda[2]["us_per_digit"] = 20
    assert crossover(cpu + cuda) == 64
    assert crossover(cpu) is None
    assert crossover([*cpu, cuda[0]]) is None


def test_model_facts_tell_both_files_apart() -> None:
    facts = model_facts(load_precisions(RecognitionOptions(provider="cpu")))
    assert facts["int8"]["sha256"] != facts["float"]["sha256"]
    assert facts["int8"]["bytes"] > 0


def test_no_such_model() -> None:
    with pytest.raises(ModelNotFoundError):
        load_precisions(RecognitionOptions(model="nobody"))
