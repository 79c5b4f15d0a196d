"""The V4L2 path of OpenCV as it is: its own calls to the kernel are answered by a webcam in user space (doubles/webcam.c)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.doubles.cameras import noisy

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "doubles" / "webcam.c"

pytestmark = [
    pytest.mark.hardware,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="device files are a matter of Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this machine, which the webcam double needs"),
]

SCRIPT = """
import json, sys, time
from pathlib import Path
import cv2
from edge_digits.errors import CameraError
from edge_digits.sources import v4l2
from edge_digits.sources.address import CameraOptions
from edge_digits.sources.camera import Camera

# The node is a link to /dev/null, which half of all programs hold open.
v4l2.PROCESSES = Path("/nonexistent")
node, state = sys.argv[1], Path(sys.argv[2])
options = CameraOptions(stall_s=2, backoff_s=0.2, warm_up_min_frames=0, warm_up_max_frames=0)
told = []

def handles():
    return len(list(Path("/proc/self/fd").iterdir()))

def frames_of(camera, wanted):
    found, until = [], time.monotonic() + 60
    while len(found) < wanted and time.monotonic() < until:
        live = camera.next_frame()
        found += [live] if live is not None else []
    return found

def until_told(camera, words):
    until = time.monotonic() + 60
    while not any(words in line for line in told) and time.monotonic() < until:
        camera.next_frame()
"""


@pytest.fixture(scope="module")
def webcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiled double, its pictures, its node and its state."""
    folder = tmp_path_factory.mktemp("webcam")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", folder / "webcam.so", SOURCE, "-ldl"], check=True)
    for number in range(12):
        cv2.imwrite(str(folder / f"{number}.jpg"), noisy(90 + number, number, (720, 1280)))
    (folder / "video0").symlink_to("/dev/null")
    return folder


def play(webcam: Path, body: str, state: str = "fair") -> Any:
    """Run a script under the double; what it puts into `result`."""
    (webcam / "state").write_text(state)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(webcam / "webcam.so"),
        "FAKE_V4L2_NODE": str(webcam / "video0"),
        "FAKE_V4L2_FOLDER": str(webcam),
        "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "1",
        "OPENCV_LOG_LEVEL": "SILENT",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
    }
    command = [sys.executable, "-c", SCRIPT + body + "\nprint(json.dumps(result))", str(webcam / "video0"), str(webcam / "state")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_silent_default_is_small_and_slow_and_what_we_ask_for_is_not(webcam: Path) -> None:
    body = """
plain = cv2.VideoCapture(node, cv2.CAP_V4L2)
first = plain.read()[1].shape, plain.get(cv2.CAP_PROP_FPS)
plain.release()
with Camera(node, options, report=told.append) as camera:
    shapes = sorted({live.frame.picture.shape for live in frames_of(camera, 3)})
result = [first, shapes, told]
"""
    (shape, rate), shapes, told = play(webcam, body)
    assert (shape, rate) == ([480, 640, 3], 10.0)
    assert shapes == [[720, 1280, 3]]
    assert told == [f"{webcam / 'video0'}: 1280x720 MJPG, 30 frames/s"]


def test_a_webcam_that_stalls_vanishes_and_returns_leaks_nothing(webcam: Path) -> None:
    body = """
before = handles()
with Camera(node, options, report=told.append) as camera:
    first = frames_of(camera, 3)
    state.write_text("stall")
    until_told(camera, "delivered nothing for 2 s")
    state.write_text("fair")
    second = frames_of(camera, 3)
    state.write_text("vanish")
    until_told(camera, "stopped delivering pictures")
    until_told(camera, "camera has gone")
    state.write_text("fair")
    third = frames_of(camera, 3)
numbers = [live.number for live in first + second + third]
result = [len(numbers), numbers == sorted(set(numbers)), handles() - before, told]
"""
    count, ascending, leaked, told = play(webcam, body)
    assert (count, ascending, leaked) == (9, True, 0)
    assert [line for line in told if "delivered nothing for 2 s; opening it again" in line]
    assert [line for line in told if "stopped delivering pictures; opening it again" in line]


@pytest.mark.parametrize(
    ("state", "message"),
    [("busy", "cannot be opened; close the program that uses it"), ("data", "gives no pictures, only data about them")],
)
def test_a_webcam_that_cannot_be_used_is_told_with_its_cause(state: str, message: str, webcam: Path) -> None:
    body = """
try:
    with Camera(node, options, report=told.append) as camera:
        result = len(frames_of(camera, 1))
except CameraError as error:
    result = str(error)
"""
    assert message in play(webcam, body, state)


def test_the_listing_shows_what_the_driver_offers_and_what_comes(webcam: Path) -> None:
    body = """
import contextlib, io
from edge_digits.live import listing
listing.device_paths = lambda: [Path(node)]
listing.list_pi_cameras = list
with contextlib.redirect_stdout(io.StringIO()) as out:
    code = listing.list_cameras(CameraOptions(), as_json=True)
result = [int(code), json.loads(out.getvalue())]
"""
    code, entry = play(webcam, body)
    assert code == 0
    assert entry["camera"].startswith("Webcam double, ")
    assert entry["offers"] == [{"format": "YUYV", "largest": [640, 480]}, {"format": "MJPG", "largest": [1280, 720]}]
    assert (entry["delivers"]["width"], entry["delivers"]["height"]) == (1280, 720)
    assert 60 < entry["delivers"]["brightness"] < 140
    assert entry["delivers"]["frames_per_s"] > 0
