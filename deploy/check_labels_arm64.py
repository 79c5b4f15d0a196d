"""Do int8 and float name the same digits on Arm as on x86-64? Checked without a board, by emulating a Cortex-A72.

    python deploy/check_labels_arm64.py --tiles TILES.npz

Takes 10,000 tiles of a tiles file (`python -m export.calibration_tiles`), drawn from all its held-out sets together,
digits of several sets and marks that are no digit mixed, runs the shipped models on this machine and under emulation,
and writes deploy/results/labels-arm64.json. Exit code 1 when a label differs. The emulated run takes some minutes.

Needs root, and on Debian `apt-get install debootstrap qemu-user-static`. The emulated side is a Debian root that is
only unpacked, never entered, and the published aarch64 wheels unzipped beside it. onnxruntime stays at 1.24.1 there:
1.31.1 crashes on import under emulation. An emulator checks what is computed; it says nothing about speed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parent / "edge_digits" / "weights"
RUNNER = HERE / "tile_logits.py"
TOOLS = ("debootstrap", "qemu-aarch64-static", "dpkg-deb")
ARM_CPU = "cortex-a72"
SUITE = "bookworm"
SUITE_PYTHON = "3.11"
ARM_PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
X86_WITHOUT_VNNI = "Haswell"
TRAINING_TILES = ("calibration", "temperature")
"""Sets of a tiles file that come from training data; all others were never trained on."""


class CheckError(Exception):
    """The check cannot be run here; the message says what to do."""


def main() -> int:
    """Run the check; see the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiles", required=True, type=Path, metavar="TILES.npz", help="tiles file of `python -m export.calibration_tiles`")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="DIR", help="folder with a manifest (default: the shipped models)")
    parser.add_argument("--count", type=int, default=10_000, help="held-out tiles to run (default %(default)s)")
    parser.add_argument("--seed", type=int, default=72, help="which of the tiles (default %(default)s)")
    parser.add_argument("--onnxruntime", default="1.24.1", metavar="VERSION", help="on the emulated side (default %(default)s)")
    parser.add_argument(
        "--work", type=Path, default=Path("build/arm64"), metavar="DIR", help="root and wheels are kept here (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results" / "labels-arm64.json", metavar="FILE.json")
    parser.add_argument("--haswell", action="store_true", help="also emulate an x86-64 without VNNI (needs qemu-x86_64-static)")
    arguments = parser.parse_args()
    try:
        result = check(arguments)
    except (CheckError, OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        print(f"check_labels_arm64: {error}", file=sys.stderr)
        return 2
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for machine, kinds in result["differences"].items():
        for kind, found in kinds.items():
            print(f"{machine} {kind}: {found['labels']} of {arguments.count} labels differ, logits by {found['largest_logit']:.3g} at most")
    return int(any(found["labels"] for kinds in result["differences"].values() for found in kinds.values()))


def check(arguments: argparse.Namespace) -> dict[str, Any]:
    """Prepare both sides, run them, compare; the record as it is written."""
    work: Path = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    models = shipped_models(arguments.weights)
    tiles, by_set = choose_tiles(arguments.tiles, arguments.count, arguments.seed)
    np.save(work / "tiles.npy", tiles)
    commands = {"x86_64": [sys.executable], f"arm64 {ARM_CPU}": arm_command(work, arguments.onnxruntime)}
    if arguments.haswell:
        commands[f"x86_64 {X86_WITHOUT_VNNI}"] = haswell_command()
    logits = {machine: run(command, work, list(models.values())) for machine, command in commands.items()}
    native = logits.pop("x86_64")
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "tiles": {"count": len(tiles), "sets": by_set, "seed": arguments.seed, "sha256": hashlib.sha256(tiles.tobytes()).hexdigest()},
        "models": {kind: {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for kind, path in models.items()},
        "reference": json.loads(str(native["facts"])),
        "emulated": {
            machine: {"emulator": version_of(commands[machine][0]), **json.loads(str(found["facts"]))} for machine, found in logits.items()
        },
        "differences": {
            machine: {kind: compare(native[p.name], found[p.name]) for kind, p in models.items()} for machine, found in logits.items()
        },
    }


def shipped_models(folder: Path) -> dict[str, Path]:
    """The default model's int8 and float files."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    entry = manifest["models"][manifest["default"]]
    return {kind: folder / entry[kind]["file"] for kind in ("int8", "float")}


def choose_tiles(path: Path, count: int, seed: int) -> tuple[np.ndarray, dict[str, int]]:
    """`count` different held-out tiles, uint8 (count, 28, 28), and how many of each set they are."""
    with np.load(path) as arrays:
        names = sorted(key.removesuffix("_tiles") for key in arrays.files if key.endswith("_tiles"))
        held_out = [name for name in names if name not in TRAINING_TILES and f"{name}_labels" in arrays.files]
        sets = {name: arrays[f"{name}_tiles"] for name in held_out}
    total = sum(map(len, sets.values()))
    if not 1 <= count <= total:
        raise CheckError(f"count is {count}; {path} holds {total} held-out tiles")
    chosen = np.sort(np.random.default_rng(seed).choice(total, count, replace=False))
    origin = np.repeat(np.arange(len(held_out)), [len(tiles) for tiles in sets.values()])[chosen]
    return np.concatenate(list(sets.values()))[chosen], {name: int((origin == index).sum()) for index, name in enumerate(held_out)}


def compare(reference: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """How many labels differ, and the largest difference of a logit."""
    return {
        "labels": int((reference.argmax(axis=1) != other.argmax(axis=1)).sum()),
        "largest_logit": float(np.abs(reference - other).max()),
    }


def arm_command(work: Path, onnxruntime: str) -> list[str]:
    """The command that starts Python on the emulated processor; fetches what is not there yet."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CheckError(f"{', '.join(missing)} not found; on Debian: apt-get install debootstrap qemu-user-static")
    root, site = work / "root", work / f"site-{onnxruntime}"
    if not (root / "usr/bin/python3").exists():
        unpack_root(root)
    if not (site / "onnxruntime").exists():
        unpack_wheels(work / "wheels", site, onnxruntime)
    return ["qemu-aarch64-static", "-cpu", ARM_CPU, "-L", str(root), "-E", f"PYTHONPATH={site}", str(root / "usr/bin/python3")]


def unpack_root(root: Path) -> None:
    """A Debian root for arm64, its packages fetched and unpacked, nothing of it run."""
    if os.geteuid() != 0:
        raise CheckError("debootstrap needs root; run this with sudo")
    print(f"fetching a Debian {SUITE} root for arm64 ...", file=sys.stderr)
    shutil.rmtree(root, ignore_errors=True)
    bootstrap = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", "--include=python3,libstdc++6", SUITE, str(root)]
    subprocess.run(bootstrap, check=True, stdout=sys.stderr)  # noqa: S603 - fixed arguments, no shell
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)  # noqa: S603, S607 - fixed arguments, no shell


def unpack_wheels(wheels: Path, site: Path, onnxruntime: str) -> None:
    """The aarch64 wheels of onnxruntime and numpy, unzipped."""
    print("fetching the aarch64 wheels ...", file=sys.stderr)
    where = [option for platform in ARM_PLATFORMS for option in ("--platform", platform)]
    kind = ["--only-binary=:all:", "--no-deps", "--implementation", "cp", "--python-version", SUITE_PYTHON]
    download = [sys.executable, "-m", "pip", "download", "-q", *kind, *where, "-d", str(wheels), f"onnxruntime=={onnxruntime}", "numpy"]
    subprocess.run(download, check=True, stdout=sys.stderr)  # noqa: S603 - fixed arguments, no shell
    for wheel in [*wheels.glob(f"onnxruntime-{onnxruntime}-*.whl"), *wheels.glob("numpy-*.whl")]:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def haswell_command() -> list[str]:
    """This very interpreter on an emulated x86-64 without VNNI."""
    if shutil.which("qemu-x86_64-static") is None:
        raise CheckError("qemu-x86_64-static not found; on Debian: apt-get install qemu-user-static")
    site = sysconfig.get_path("purelib")
    return ["qemu-x86_64-static", "-cpu", X86_WITHOUT_VNNI, "-E", f"PYTHONPATH={site}", str(Path(sys.executable).resolve())]


def run(command: list[str], work: Path, models: list[Path]) -> dict[str, np.ndarray]:
    """The arrays that tile_logits.py stores when it is run by that command."""
    print(f"running the tiles by {Path(command[0]).name} ...", file=sys.stderr)
    out = work / "logits.npz"
    out.unlink(missing_ok=True)
    full = [*command, str(RUNNER), str(work / "tiles.npy"), str(out), *(str(m.resolve()) for m in models)]
    done = subprocess.run(full, check=False, capture_output=True, text=True)  # noqa: S603 - fixed arguments, no shell
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise CheckError(f"{' '.join(command[:3])}: ended with {done.returncode} ({last})")
    with np.load(out) as arrays:
        return {name: arrays[name] for name in arrays.files}


def version_of(emulator: str) -> str:
    """First line of the emulator's own version text."""
    done = subprocess.run([emulator, "--version"], check=True, capture_output=True, text=True)  # noqa: S603 - fixed arguments, no shell
    return done.stdout.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
