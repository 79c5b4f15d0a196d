from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.errors import ExitCode
from export import judge_strings
from export.data.glyphs import GlyphSet
from export.judge_strings import ReadString, WrittenString, figures, figures_by_group, wilson_interval
from export.string_failures import CELL_PX, draw_failures

BLANK = np.full((40, 80), 230, np.uint8)


def string(digits: str, text: str, guessed: str | None = None, *groups: str) -> ReadString:
    return ReadString(WrittenString("s", BLANK, digits, groups), text, text if guessed is None else guessed, 1.0)


@pytest.mark.parametrize(
    ("digits", "text", "guessed", "cause"),
    [
        ("12", "12", "12", None),
        ("12", "1?", "12", "unsure"),
        ("12", "1?", "17", "confused"),
        ("12", "1", "1", "missing"),
        ("12", "", "", "missing"),
        ("12", "123", "123", "extra"),
        ("12", "21", "21", "confused"),
    ],
)
def test_causes(digits: str, text: str, guessed: str, cause: str | None) -> None:
    assert string(digits, text, guessed).cause == cause


def test_figures() -> None:
    entry = figures([string("12", "12"), string("12", "1?", "12"), string("1234", "123"), string("12", "13")])
    assert (entry["strings"], entry["right"], entry["right_guessed"], entry["digits"]) == (4, 0.25, 0.5, 10)
    assert entry["errors_per_digit"] == 0.3
    assert entry["causes"] == {"unsure": 1, "confused": 1, "missing": 1, "extra": 0}
    low, high = entry["right_interval"]
    assert low < 0.25 < high


def test_groups() -> None:
    groups = figures_by_group([string("1", "1", None, "b", "a"), string("1", "2", None, "b")])
    assert list(groups) == ["all", "a", "b"]
    assert (groups["all"]["right"], groups["a"]["right"], groups["b"]["strings"]) == (0.5, 1.0, 2)


def test_the_interval_of_a_share_is_wilsons() -> None:
    # 81 of 263: an example of Newcombe, Statistics in Medicine 17 (1998), 857-872.
    assert wilson_interval(81, 263) == (0.2553, 0.3662)
    assert wilson_interval(0, 10)[0] == 0.0
    assert wilson_interval(10, 10)[1] == 1.0


def test_failures_are_drawn(tmp_path: Path) -> None:
    draw_failures(tmp_path / "wrong.png", [(BLANK, "12 read 1")] * 11)
    sheet = cv2.imread(str(tmp_path / "wrong.png"), cv2.IMREAD_GRAYSCALE)
    assert sheet is not None
    assert sheet.shape == (2 * CELL_PX[1], 8 * CELL_PX[0])
    draw_failures(tmp_path / "none.jpg", [])
    assert cv2.imread(str(tmp_path / "none.jpg")) is not None


def write_cheques(folder: Path, pictures: dict[str, bytes], labels: dict[str, Any]) -> None:
    (folder / "orand_car_a").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "orand_car_a" / "orand_car_a.zip", "w") as archive:
        archive.writestr("labels.json", json.dumps(labels))
        for name, data in pictures.items():
            archive.writestr(name, data)


def drawn_field(text: str) -> bytes:
    picture = np.full((60, 60 + 34 * len(text)), 225, np.uint8)
    for place, character in enumerate(text):
        cv2.putText(picture, character, (30 + 34 * place, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 30, 3, cv2.LINE_AA)
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture
def data(drawn_data: Path, drawn_digits: GlyphSet) -> Path:
    """All sets that are judged, tiny."""
    fields = {"val/1.jpg": "2345", "val/2.jpg": "36", "train/1.jpg": "4444"}
    boxes = {name: [[30 + 34 * i, 15, 30, 35, int(d)] for i, d in enumerate(text)] for name, text in fields.items()}
    labels = {name: {"string": text, "boxes_xywh_digit": boxes[name]} for name, text in fields.items()}
    write_cheques(drawn_data, {name: drawn_field(text) for name, text in fields.items()}, labels)
    glyphs = np.array(drawn_digits.glyphs)
    (drawn_data / "usps").mkdir()
    parts = {f"{part}_{what}": array for part in ("train", "test") for what, array in (("images", glyphs), ("labels", drawn_digits.labels))}
    np.savez(drawn_data / "usps" / "usps.npz", **parts)
    (drawn_data / "semeion").mkdir()
    np.savez(drawn_data / "semeion" / "semeion.npz", images=glyphs, labels=drawn_digits.labels)
    return drawn_data


def call(data: Path, *more: str) -> ExitCode:
    return judge_strings.main(["--data", str(data), *more])


def test_the_command(data: Path, tmp_path: Path, capsys: Any) -> None:
    out, picture = tmp_path / "strings.json", tmp_path / "wrong.png"
    assert call(data, "--pairs", "24", "--out", str(out), "--failures", str(picture)) == ExitCode.OK
    result = json.loads(out.read_text())
    cheques, pairs = result["figures"]["cheques"], result["figures"]["pairs"]
    assert (cheques["all"]["strings"], cheques["all"]["digits"]) == (2, 6)
    assert cheques["all"]["right"] == 1.0, "plain, well parted digits are read"
    assert pairs["all"]["strings"] == 24
    assert {"mnist_test", "usps_test", "semeion"} <= set(pairs)
    assert len(result["model"]["sha256"]) == 64
    assert cv2.imread(str(picture)) is not None
    printed = capsys.readouterr().out
    assert "cheques: all" in printed
    assert "pairs: pencil" in printed


def test_what_may_be_tuned_on_holds_nothing_held_out(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "strings.json"
    assert call(data, "--part", "train", "--pairs", "8", "--out", str(out)) == ExitCode.OK
    figures_of = json.loads(out.read_text())["figures"]
    assert figures_of["cheques"]["all"]["digits"] == 4
    assert {"mnist_train", "usps_train"} <= set(figures_of["pairs"])
    assert not any("test" in group or "semeion" in group for group in figures_of["pairs"])


def test_a_limit_and_one_set(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "strings.json"
    assert call(data, "--only", "cheques", "--limit", "1", "--out", str(out)) == ExitCode.OK
    figures_of = json.loads(out.read_text())["figures"]
    assert list(figures_of) == ["cheques"]
    assert figures_of["cheques"]["all"]["strings"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--pairs", "0"], "--pairs is 0; give a number from 1"),
        (["--limit", "-3"], "--limit is -3"),
        (["--failures", "wrong.txt"], "wrong.txt: no kind of picture"),
        (["--out", "/nowhere/at/all.json"], "/nowhere/at/all.json"),
    ],
)
def test_mistakes(data: Path, more: list[str], said: str, capsys: Any) -> None:
    assert call(data, *more) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err


def test_absurd_data(tmp_path: Path, data: Path, capsys: Any) -> None:
    assert call(tmp_path / "none") != ExitCode.OK
    assert "no such file" in capsys.readouterr().err
    write_cheques(data, {}, {})
    assert call(data, "--only", "cheques") == ExitCode.USAGE
    assert "holds no strings of 'cheques'" in capsys.readouterr().err
    write_cheques(data, {"val/1.jpg": b"no picture"}, {"val/1.jpg": {"string": "1", "boxes_xywh_digit": []}})
    assert call(data, "--only", "cheques") != ExitCode.OK
    assert "val/1.jpg is no picture" in capsys.readouterr().err
