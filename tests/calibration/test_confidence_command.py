"""`python -m calibration.confidence` on drawn pages, some with a truth that is not what stands there."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from calibration import confidence
from calibration.errors import CalibrationError
from calibration.page_evidence import Evidence, PageFolder, read_folders
from edge_digits import Reader
from edge_digits.options import Options, ReadingOptions, RecognitionOptions
from edge_digits.recognition.confidence_curve import load_curves
from edge_digits.recognition.weights import WEIGHTS_FOLDER
from tests.confidence_curves import curve_entry, model_with_curve, write_curves
from tests.picture_files import encode
from tests.strokes import draw_page

PAGES = 12
NUMBERS = ["4071892", "35", "6018", "2946", "77"]
LINES = [" ".join(NUMBERS[:2]), " ".join(NUMBERS[2:4]), NUMBERS[4]]
WRONG_PAGES = (3, 7)


@dataclass(frozen=True)
class Desk:
    """A folder of pages with their truth, a copy of the models, and where results go."""

    folder: Path

    @property
    def pages(self) -> Path:
        return self.folder / "pages"

    @property
    def model(self) -> Path:
        return self.folder / "weights"

    @property
    def curve(self) -> Path:
        return self.model / "confidence.json"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def fit(self, *words: str | Path) -> int:
        more = ["--model", self.model, "--threads", "1", "--pictures", self.pictures]
        return confidence.main([str(word) for word in (*words, *more)])

    def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.pages / "truth.json").read_text())
        return found


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pages; on two of them the truth says 5 where a 7 stands."""
    folder = tmp_path_factory.mktemp("drawn")
    truth = {}
    for index in range(PAGES):
        picture = draw_page(LINES, width=700 + 10 * index, height=500, digit_px=50 + index, pen_px=5.0)
        (folder / f"page{index:02}.png").write_bytes(encode("PNG", picture))
        lines = [line.replace("7", "5") for line in LINES] if index in WRONG_PAGES else LINES
        truth[f"page{index:02}.png"] = {"lines": lines, "half": "tune" if index < PAGES - 1 else "check"}
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


@pytest.fixture
def desk(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The pages and a copy of the shipped models without a curve; few digits are enough."""
    monkeypatch.setattr(confidence, "LEAST_NUMBERS", 40)
    shutil.copytree(drawn, tmp_path / "pages")
    shutil.copytree(WEIGHTS_FOLDER, tmp_path / "weights")
    (tmp_path / "weights" / "confidence.json").unlink(missing_ok=True)
    return Desk(tmp_path)


def test_a_fit_lies_where_readers_look_for_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    printed = capsys.readouterr()
    (curve,) = load_curves(desk.curve)
    (facts,) = curve.fitted["folders"]
    wrong = sum(line.count("7") for line in LINES) * len(WRONG_PAGES)
    assert (facts["folder"], facts["half"], facts["pages"], facts["true_digits"]) == (f"{desk.folder.name}/pages", "tune", 11, 11 * 19)
    assert (facts["digits"], facts["wrong_digits"], facts["numbers"], facts["wrong_numbers"]) == (11 * 19, wrong, 55, 4)
    assert facts["digits"] == 11 * sum(map(len, NUMBERS))
    assert curve.fitted["date"].startswith("20")
    assert len(curve.networks) == 2
    reader = Reader(threads=1, model=str(desk.model))
    assert reader.curve is not None
    assert reader.networks == curve.networks[0]
    assert str(desk.folder) not in desk.curve.read_text()
    assert "promised %" in printed.out
    assert reader.classifier.sha256[:12] in printed.err
    pictures = {path.name for path in desk.pictures.iterdir()}
    assert pictures == {"confidence-digits.png", "confidence-numbers.png", "max-error.png"}
    assert all((desk.pictures / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def test_a_fitted_reader_is_as_sure_as_it_was_right(desk: Desk) -> None:
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    reader = Reader(threads=1, model=str(desk.model))
    told = [d.confidence for name in sorted(desk.truth())[:11] for d in reader.read(desk.pages / name).digits]
    (facts,) = load_curves(desk.curve)[0].fitted["folders"]
    assert sum(told) / len(told) == pytest.approx(1 - facts["wrong_digits"] / facts["digits"], abs=0.02)


def test_what_is_fitted_is_the_networks_own_confidence_whatever_lies_there(desk: Desk) -> None:
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    first = desk.curve.read_bytes()
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    assert desk.curve.read_bytes() == first


def test_a_new_fit_replaces_the_old_one_and_leaves_those_of_other_models(desk: Desk) -> None:
    other = curve_entry([("c" * 64,)], model="other")
    write_curves(desk.curve, curve_entry([("d" * 64,)]), other)
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    found = load_curves(desk.curve)
    assert [curve.model for curve in found] == ["other", "digits"]
    assert found[1].networks[0] != ("d" * 64,)


def test_several_folders_each_with_its_own_truth_and_half(desk: Desk) -> None:
    second = desk.folder / "second"
    shutil.copytree(desk.pages, second)
    (second / "truth.json").rename(desk.folder / "told.json")
    words = ["--pages", desk.pages, "--half", "tune", "--pages", second, "--truth", desk.folder / "told.json", "--half", "tune"]
    out = desk.folder / "curve.json"
    assert desk.fit(*words, "--out", out) == 0
    assert not desk.curve.exists()
    (curve,) = load_curves(out)
    found = [(fact["folder"].split("/")[1], fact["pages"]) for fact in curve.fitted["folders"]]
    assert found == [("pages", 11), ("second", 11)]


def test_a_page_that_cannot_be_read_is_told_and_left_out(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    (desk.pages / "page00.png").write_bytes(b"no picture")
    shutil.copyfile(desk.pages / "page01.png", desk.pages / "page12.png")
    truth = desk.truth()
    (desk.pages / "truth.json").write_text(json.dumps({**truth, "page12.png": truth["page01.png"]}))
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    assert "left out: " in capsys.readouterr().err
    assert load_curves(desk.curve)[0].fitted["folders"][0]["pages"] == 11


def test_too_few_numbers_leave_the_product_of_digits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confidence, "LEAST_NUMBERS", 56)
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 0
    assert "numbers: product of digits" in capsys.readouterr().out
    (curve,) = load_curves(desk.curve)
    assert curve.numbers([0.2, 0.97]).tolist() == pytest.approx([0.2, 0.97])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "half 'check' is not fitted on; name the one to take with --half: check, tune"),
        (["--half", "check"], 2, "half 'check' confirms what was fitted"),
        (["--half", "third"], 2, "no page of half 'third'"),
        (["--half", "tune", "--truth", "none.json"], 2, "none.json"),
        (["--half", "tune", "--pages", "nowhere"], 2, "nowhere"),
        (["--half", "tune", "--out", "/dev/null/confidence.json"], 1, "/dev/null/confidence.json"),
        (["--half", "tune", "--pictures", "/dev/null/pictures"], 1, "/dev/null/pictures"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    desk: Desk, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--model", desk.model, "--threads", "1"] + ([] if "--pictures" in words else ["--pictures", desk.pictures])
    assert confidence.main([str(word) for word in ("--pages", desk.pages, *words, *more)]) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("calibration.confidence: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert not desk.curve.exists()


def test_a_model_that_is_not_there(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert confidence.main(["--pages", str(desk.pages), "--half", "tune", "--model", "nobody"]) == 3
    assert "no model 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--half", "tune"], ["--truth", "t.json", "--pages", "p"]])
def test_a_half_or_truth_needs_its_pages(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        confidence.main(words)
    assert stop.value.code == 2
    assert "--pages" in capsys.readouterr().err


def test_a_damaged_curve_is_not_overwritten(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.curve.write_text("{")
    assert desk.fit("--pages", desk.pages, "--half", "tune") == 3
    assert "confidence.json" in capsys.readouterr().err
    assert desk.curve.read_text() == "{"


def test_few_pages_or_none_say_too_little(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    truth = desk.truth()
    for kept in (["page00.png", "page01.png"], []):
        chosen = {name: truth[name] for name in kept} or {"page02.png": {"lines": []}}
        (desk.pages / "truth.json").write_text(json.dumps(chosen))
        assert desk.fit("--pages", desk.pages) == 1
        assert "say too little" in capsys.readouterr().err
    with pytest.raises(CalibrationError, match="0 digits on 0 pages"):
        confidence.fit_curve(Evidence((), ()), "digits", [("a",)])


def test_evidence_is_read_without_a_curve(tmp_path: Path, drawn: Path) -> None:
    mapped = Reader(threads=1, model=str(model_with_curve(tmp_path)))
    with pytest.raises(CalibrationError, match="mapped already"):
        read_folders(mapped, [PageFolder(drawn, half="tune")])
    plain = Options(recognition=RecognitionOptions(threads=1), reading=ReadingOptions(calibrated=False))
    assert len(read_folders(Reader(options=plain), [PageFolder(drawn, half="tune")]).folders[0]) == 11
