"""`edge-digits bench`: one JSON on stdout, everything else on stderr, mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_digits.bench.sample import encode_jpeg, golden_digits, make_sheet
from edge_digits.bench.timing import FEWEST_ROUNDS
from edge_digits.cli import main
from edge_digits.errors import ExitCode

FEW = ["--repeat", "2", "--warm-up", "0", "--threads", "1", "--batch", "1,4"]
CARD_KEYS = {
    "card", "card_version", "date", "command", "machine", "software", "model", "provider", "quick", "pages", "tiles", "cold_start",
    "crossover_batch", "power", "load_average_after",
}  # fmt: skip


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "small.jpg"
    path.write_bytes(encode_jpeg(make_sheet(golden_digits(), 640, 480, 12)))
    return path


def card_of(text: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(text)
    return card


def test_card_of_a_picture(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "card.json"
    assert main(["bench", str(picture), *FEW, "--provider", "cpu", "--out", str(out)]) == ExitCode.OK
    printed = capsys.readouterr()
    card = card_of(printed.out)
    assert card == card_of(out.read_text())
    assert set(card) == CARD_KEYS
    assert card["pages"][0]["name"] == "small.jpg"
    assert (card["pages"][0]["origin"], card["pages"][0]["width"]) == ("given", 640)
    assert {entry["precision"] for entry in card["tiles"]} == {"int8", "float"}
    assert card["provider"] == {"asked": "cpu", "obtained": "CPUExecutionProvider", "precision": "int8"}
    assert card["cold_start"]["import_ms"]["count"] == 2
    assert card["cold_start"]["digits"] == card["pages"][0]["digits"]
    assert card["command"].startswith("edge-digits bench ")
    assert "--threads 1 --batch 1,4" in card["command"]
    assert "cold start" in printed.err
    case = card["pages"][0]["cases"][0]
    assert case["ms"]["total"]["median_between"][0] <= case["ms"]["total"]["p50"] <= case["ms"]["total"]["median_between"][1]
    assert card["crossover_batch"] is None
    assert set(card["power"]) == {"before", "after", "energy_j", "elapsed_s"}
    assert "small.jpg (given), 640x480" in printed.err


def test_quick_without_pictures_says_what_it_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick"]) == ExitCode.OK
    printed = capsys.readouterr()
    card = card_of(printed.out)
    assert card["quick"] is True
    assert [page["origin"] for page in card["pages"]] == ["sample"]
    assert card["pages"][0]["digits"]
    assert [(entry["precision"], entry["threads"]) for entry in card["pages"][0]["cases"]] == [("int8", 1), ("float", 1)]
    assert {entry["batch"] for entry in card["tiles"]} == {1, 8, 64, 256}
    assert card["tiles"][0]["call_ms"]["count"] >= FEWEST_ROUNDS
    assert "sample_page.jpg (sample)" in printed.err


def test_without_pictures_three_synthetic_pages_follow_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *FEW, "--precision", "int8"]) == ExitCode.OK  # float is measured on the picture above
    printed = capsys.readouterr()
    pages = card_of(printed.out)["pages"]
    assert [page["origin"] for page in pages] == ["sample", "synthetic", "synthetic", "synthetic"]
    assert pages[3]["width"] * pages[3]["height"] == 12_000_000
    assert pages[3]["digits"] > 250
    assert (pages[1]["width"], pages[1]["height"]) == (1280, 720)
    assert "golden digits (synthetic)" in printed.err


def test_one_bad_picture_does_not_stop_the_others(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "text.jpg"
    bad.write_text("no picture")
    assert main(["bench", str(bad), str(picture), *FEW]) == ExitCode.SOME_INPUTS_FAILED
    printed = capsys.readouterr()
    assert [page["name"] for page in card_of(printed.out)["pages"]] == ["small.jpg"]
    assert "text.jpg" in printed.err


def test_only_bad_pictures_give_one_line_and_no_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tmp_path / "none.jpg"), *FEW]) == ExitCode.SOME_INPUTS_FAILED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert "none.jpg" in printed.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--repeat", "0"], ExitCode.USAGE, "repeat is 0"),
        (["--warm-up", "-1"], ExitCode.USAGE, "warm-up is -1"),
        (["--provider", "abacus"], ExitCode.USAGE, "provider is 'abacus'"),
        (["--model", "nobody"], ExitCode.MODEL, "no model 'nobody'"),
        (["--out", "/nowhere/at/all/card.json"], ExitCode.USAGE, "--out /nowhere/at/all/card.json"),
        (["footprint", "--repeat", "0"], ExitCode.USAGE, "repeat is 0"),
        (["compare", "one.json"], ExitCode.USAGE, "compare takes two cards, not 1"),
        (["table"], ExitCode.USAGE, "table takes one card or more"),
        (["table", "none.json"], ExitCode.USAGE, "none.json cannot be read"),
    ],
)
def test_mistakes(words: list[str], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize("words", [["--threads", "0"], ["--batch", "1,x"], ["--batch", ""], ["--batch", "99999999"]])
def test_absurd_lists_are_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", *words])
    assert caught.value.code == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_footprint_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "footprint.json"
    assert main(["bench", "footprint", "--repeat", "1", "--out", str(out)]) == ExitCode.OK
    printed = capsys.readouterr()
    card = card_of(printed.out)
    assert card == card_of(out.read_text())
    statements = [entry["statement"] for entry in card["imports"]]
    assert "import numpy, cv2, onnxruntime" in statements
    assert "import edge_digits" in statements
    assert all(goal["time_ratio"] > 0 and goal["time_goal"] == 2.0 and goal["memory_goal"] == 1.3 for goal in card["goals"])
    assert card["large_page"]["digits_found"] > 100
    if card["large_page"]["above_libraries_mb"] is not None:
        assert card["large_page"]["above_libraries_mb"] <= card["large_page"]["goal_mib"] == 150.0
        assert card["large_page"]["met"] is True
    assert "times the memory" in printed.err
