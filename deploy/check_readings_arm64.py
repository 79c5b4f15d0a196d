"""Is a page read alike on Arm and on x86-64, from the file to the numbers? Checked without a board, by emulating a Cortex-A72.

    python -m deploy.check_readings_arm64 PICTURE...

Reads each picture with all shipped networks here and under emulation, and writes deploy/results/readings-arm64.json: text, digits,
boxes and confidences compared. Exit code 1 when a text or a digit differs. The root and the wheels are those of check_labels_arm64.py,
which says what is needed, and OpenCV's besides, in the version installed here: another one may shrink a picture otherwise.
The emulated run takes about a minute to start and some seconds a page.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from deploy.check_labels_arm64 import ARM_CPU, ARM_PLATFORMS, HERE, SUITE_PYTHON, CheckError, arm_command, version_of

READINGS = HERE / "page_readings.py"
OPENCV = ("opencv-python-headless", "opencv-python")


def main() -> int:
    """Run the check; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m deploy.check_readings_arm64", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="photographs or scans of pages")
    parser.add_argument("--onnxruntime", default="1.24.1", metavar="VERSION", help="on the emulated side (default %(default)s)")
    parser.add_argument("--opencv", metavar="VERSION", help="on the emulated side (default: as installed here)")
    parser.add_argument(
        "--work", type=Path, default=Path("build/arm64"), metavar="DIR", help="root and wheels are kept here (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results" / "readings-arm64.json", metavar="FILE.json")
    arguments = parser.parse_args()
    try:
        result = check(arguments)
    except (CheckError, OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        print(f"check_readings_arm64: {error}", file=sys.stderr)
        return 2
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    found = result["differences"]
    print(
        f"arm64 {ARM_CPU}: of {found['pages']} pages {found['texts']} read otherwise, {found['digits']} of {result['digits']} digits; "
        f"boxes differ by {found['largest_box_px']} px, confidences by {found['largest_confidence']:.3g} at most"
    )
    return int(bool(found["texts"] or found["digits"]))


def check(arguments: argparse.Namespace) -> dict[str, Any]:
    """Prepare both sides, read on both, compare; the record as it is written."""
    missing = [str(picture) for picture in arguments.pictures if not picture.is_file()]
    if missing:
        raise CheckError(f"{', '.join(missing)}: no such picture")
    work: Path = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    emulated = with_opencv(arm_command(work, arguments.onnxruntime), work, arguments.opencv or installed_opencv())
    here = read([sys.executable], work, arguments.pictures)
    there = read(emulated, work, arguments.pictures)
    if here["networks"] != there["networks"]:
        raise CheckError("the two sides ran different networks; use one tree and one --precision for both")
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "pictures_sha256": [hashlib.sha256(picture.read_bytes()).hexdigest() for picture in arguments.pictures],
        "networks_sha256": here["networks"],
        "reference": here["facts"],
        "emulated": {"processor": ARM_CPU, "emulator": version_of(emulated[0]), **there["facts"]},
        "digits": sum(len(page["digits"]) for page in here["pages"]),
        "differences": compare(here["pages"], there["pages"]),
    }


def compare(reference: list[dict[str, Any]], other: list[dict[str, Any]]) -> dict[str, Any]:
    """Pages whose text differs, digits that differ or stand on one side only, and how far boxes and confidences of the others are."""
    texts = digits = box = 0
    confidence = 0.0
    for mine, theirs in zip(reference, other, strict=True):
        texts += mine["text"] != theirs["text"]
        digits += abs(len(mine["digits"]) - len(theirs["digits"]))
        for one, two in zip(mine["digits"], theirs["digits"], strict=False):
            digits += one["digit"] != two["digit"]
            box = max(box, *(abs(a - b) for a, b in zip(one["box"], two["box"], strict=True)))
            confidence = max(confidence, abs(one["confidence"] - two["confidence"]))
    return {"pages": len(reference), "texts": texts, "digits": digits, "largest_box_px": box, "largest_confidence": confidence}


def installed_opencv() -> str:
    """The version of the OpenCV wheel installed here."""
    for distribution in OPENCV:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    raise CheckError(f"none of {', '.join(OPENCV)} is installed; name the version by --opencv")


def with_opencv(command: list[str], work: Path, version: str) -> list[str]:
    """The emulated command with OpenCV and this tree on its path; fetches the aarch64 wheel when it is not there yet."""
    site = work / f"site-opencv-{version}"
    if not (site / "cv2").exists():
        print("fetching the aarch64 wheel of OpenCV ...", file=sys.stderr)
        where = [option for platform in ARM_PLATFORMS for option in ("--platform", platform)]
        kind = ["--only-binary=:all:", "--no-deps", "--implementation", "cp", "--python-version", SUITE_PYTHON]
        download = [sys.executable, "-m", "pip", "download", "-q", *kind, *where, "-d", str(work / "wheels"), f"{OPENCV[0]}=={version}"]
        subprocess.run(download, check=True, stdout=sys.stderr)  # noqa: S603 - fixed arguments, no shell
        for wheel in (work / "wheels").glob(f"opencv_python_headless-{version}-*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
    path = next(index for index, word in enumerate(command) if word.startswith("PYTHONPATH="))
    return [*command[:path], f"{command[path]}:{site}:{HERE.parent}", *command[path + 1 :]]


def read(command: list[str], work: Path, pictures: list[Path]) -> dict[str, Any]:
    """What page_readings.py stores when it is run by that command."""
    print(f"reading {len(pictures)} pages by {Path(command[0]).name} ...", file=sys.stderr)
    out = work / "readings.json"
    out.unlink(missing_ok=True)
    full = [*command, str(READINGS), str(out), *(str(picture.resolve()) for picture in pictures)]
    here = {**os.environ, "PYTHONPATH": str(HERE.parent)}  # the emulated side has a path of its own
    done = subprocess.run(full, check=False, capture_output=True, text=True, env=here)  # noqa: S603 - fixed arguments, no shell
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise CheckError(f"{' '.join(command[:3])}: ended with {done.returncode} ({last})")
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


if __name__ == "__main__":
    sys.exit(main())
