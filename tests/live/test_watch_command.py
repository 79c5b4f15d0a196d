"""`edge-digits watch` as a user runs it: a child process, a real film, a real stream, the shipped model."""

from __future__ import annotations

import base64
import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_digits.cli import main
from edge_digits.errors import ExitCode
from tests.doubles.pages import NUMBER_ONE, NUMBER_TWO, Picture, draw_page, serve_mjpeg, with_noise, write_film

PAGE = draw_page({(80, 80): NUMBER_ONE, (80, 320): NUMBER_TWO})
BLANK = draw_page({})


def watch(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_digits", "watch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)


def entries(stdout: str) -> list[dict[str, Any]]:
    """Every line of stdout must be one JSON object."""
    parsed = [json.loads(line) for line in stdout.splitlines()]
    assert all(isinstance(entry, dict) for entry in parsed)
    return parsed


def shots(picture: Picture, number: int, seed: int) -> list[Picture]:
    """Exposures of a sheet in an unsteady hand."""
    taken = []
    for index, (x, y) in enumerate(np.random.default_rng(seed).uniform(-2, 2, (number, 2))):
        shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
        moved = cv2.warpAffine(picture, shift, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        taken.append(with_noise(np.asarray(moved, np.uint8), seed + index))
    return taken


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet comes, is read, goes."""
    pictures = [*shots(BLANK, 4, 0), *shots(PAGE, 30, 100), *shots(BLANK, 30, 200)]
    return write_film(tmp_path_factory.mktemp("film") / "sheet.avi", pictures)


def test_a_film_gives_its_numbers_once(film: Path) -> None:
    done = watch(str(film), "--no-window")
    assert done.returncode == ExitCode.OK, done.stderr
    told = entries(done.stdout)
    assert sorted(e["number"]["text"] for e in told if e["event"] == "settled") == sorted([NUMBER_ONE, NUMBER_TWO])
    pages = [e for e in told if e["event"] == "page"]
    assert [[line["text"] for line in page["lines"]] for page in pages] == [[NUMBER_ONE, NUMBER_TWO], []]
    assert sorted(e["number"]["text"] for e in told if e["event"] == "removed") == sorted([NUMBER_ONE, NUMBER_TWO])
    assert set(pages[0]) >= {"source", "page", "width", "height", "lines", "model", "provider", "elapsed_ms", "event", "frame", "time_s"}
    assert "64 frames, 0 dropped" in done.stderr


def test_a_stream_gives_its_page_once(tmp_path: Path) -> None:
    with serve_mjpeg(shots(PAGE, 20, 7), 0.03) as url:
        done = watch(url, "--no-window", "--once", "--timeout", "60", "--save", str(tmp_path))
    assert done.returncode == ExitCode.OK, done.stderr
    page = entries(done.stdout)[-1]
    assert (page["event"], page["source"]) == ("page", url)
    assert [line["text"] for line in page["lines"]] == [NUMBER_ONE, NUMBER_TWO]
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text()) == page


def test_once_as_text_is_what_read_prints(film: Path) -> None:
    done = watch(str(film), "--no-window", "--once", "--format", "text")
    assert (done.returncode, done.stdout) == (ExitCode.OK, f"{NUMBER_ONE}\n{NUMBER_TWO}\n"), done.stderr


def test_csv_with_crops_and_a_command_for_each_number(film: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + chr(10))"
    command = shlex.join([sys.executable, "-c", script, str(told), "{text} {crop}"])
    done = watch(str(film), "--no-window", "--format", "csv", "--save", str(tmp_path / "kept"), "--on-settled", command)
    assert done.returncode == ExitCode.OK, done.stderr
    rows = [row for row in csv.DictReader(done.stdout.splitlines()) if row["event"] == "settled"]
    assert sorted(row["text"] for row in rows) == sorted([NUMBER_ONE, NUMBER_TWO])
    assert all(Path(row["crop"]).is_file() for row in rows)
    assert sorted(told.read_text().splitlines()) == sorted(f"{row['text']} {row['crop']}" for row in rows)


def test_crops_in_the_objects_are_pictures(film: Path) -> None:
    done = watch(str(film), "--no-window", "--once", "--crops")
    settled = [entry for entry in entries(done.stdout) if entry["event"] == "settled"]
    assert len(settled) == 2
    assert all(base64.b64decode(entry["crop_png"]).startswith(b"\x89PNG") for entry in settled)


def test_once_on_an_empty_page_exits_with_4(tmp_path: Path) -> None:
    path = write_film(tmp_path / "blank.avi", shots(BLANK, 8, 0))
    done = watch(str(path), "--no-window", "--once")
    assert (done.returncode, done.stdout) == (ExitCode.CAMERA, "")
    assert "no page settled before the source ended" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.OK)])
def test_a_signal_ends_it_cleanly(number: int, code: ExitCode) -> None:
    with serve_mjpeg(shots(PAGE, 20, 7), 0.03) as url:
        command = [sys.executable, "-m", "edge_digits", "watch", url, "--no-window"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            os.kill(child.pid, number)
            rest, words = child.communicate(timeout=100)
    assert child.returncode == code, words
    assert entries(first + rest)[0]["event"] == "settled"
    assert "Traceback" not in words


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_signal_ends_it_cleanly_while_the_stream_hangs() -> None:
    hangs = threading.Event()
    with serve_mjpeg(shots(PAGE, 20, 7), 0.03, rounds=5, then_hang=hangs) as url:
        command = [sys.executable, "-m", "edge_digits", "watch", url, "--no-window"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            assert hangs.wait(100)
            os.kill(child.pid, signal.SIGTERM)
            rest, words = child.communicate(timeout=100)
    assert child.returncode == ExitCode.OK, words
    assert entries(first + rest)
    assert words.splitlines()[-1].endswith("2 numbers settled")


def test_a_reader_that_goes_away_is_no_fault(film: Path) -> None:
    command = [sys.executable, "-m", "edge_digits", "watch", str(film), "--no-window"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        words = child.stderr.read()
    assert child.wait() == ExitCode.OK
    assert "Traceback" not in words
    assert "Exception ignored" not in words


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("4711", "camera 4711"),
        ("{folder}", "no pictures in this folder"),
        ("{folder}/none.avi", "no such file"),
        ("ftp://127.0.0.1/film", "'ftp' is no kind of stream"),
    ],
)
def test_a_source_that_cannot_be_read_gives_one_line(source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["watch", source.format(folder=tmp_path), "--no-window"])
    out, err = capsys.readouterr()
    assert (code, out) == (ExitCode.CAMERA, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "message"), [("{folder}/text.avi", "cannot be opened"), ("http://127.0.0.1:9/stream", "refuses port 9")]
)
def test_opencv_and_ffmpeg_add_no_words_of_their_own(source: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.avi").write_text("no film\n" * 500)
    done = watch(source.format(folder=tmp_path), "--no-window")
    assert (done.returncode, done.stdout) == (ExitCode.CAMERA, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "big"], "--size is 'big'"),
        (["--size", "0x0"], "size is 0x0"),
        (["--fps", "-3"], "fps is -3"),
        (["--seconds", "0"], "--seconds is 0"),
        (["--timeout", "5"], "--timeout goes with --once"),
        (["--once", "--timeout", "nan"], "--timeout is nan"),
        (["--min-confidence", "2"], "min-confidence is 2"),
        (["--save", "{file}/x"], "--save"),
        (["--certain", "1.5"], "certain is 1.5"),
        (["--on-settled", ""], "--on-settled is empty"),
        (["--on-settled", "no-such-command-4711"], "no command that can be run"),
        (["--on-settled", "true {{nonsense}}"], "{nonsense} is not known"),
        (["--on-settled-timeout", "0"], "--on-settled-timeout is 0"),
        (["--mqtt", "pi.local"], "--mqtt is 'pi.local'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_opened(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    code = main(["watch", "none.avi", "--no-window", *(a.format(file=tmp_path / "file") for a in arguments)])
    out, err = capsys.readouterr()
    assert (code, out) == (ExitCode.USAGE, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_the_window_is_refused(film: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = watch(str(film), env=bare)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "--no-window" in done.stderr
    assert done.stderr.count("\n") == 1
