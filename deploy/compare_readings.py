"""Were pages read alike on two processors? Compares what page_readings.py stored on each; deploy/check-arm64.sh runs it.

    python deploy/compare_readings.py X86_64.json ARM64.json --processor NAME --emulator VERSION --out RECORD.json

Writes the record: text, digits, boxes and confidences compared. Exit code 1 when a text or a digit differs, 2 when the two
files cannot be compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


class CompareError(Exception):
    """The two files cannot be compared; the message says why."""


def main() -> int:
    """Run the comparison; see the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("reference", type=Path, metavar="X86_64.json")
    parser.add_argument("other", type=Path, metavar="ARM64.json")
    parser.add_argument("--processor", required=True, metavar="NAME", help="the other side's, as it was emulated")
    parser.add_argument("--emulator", required=True, metavar="VERSION", help="first line of its version text")
    parser.add_argument("--out", required=True, type=Path, metavar="RECORD.json")
    arguments = parser.parse_args()
    try:
        reference, other = (json.loads(path.read_text(encoding="utf-8")) for path in (arguments.reference, arguments.other))
        record = compared(reference, other, {"processor": arguments.processor, "emulator": arguments.emulator})
    except (CompareError, OSError, ValueError, KeyError) as error:
        print(f"compare_readings: {error}", file=sys.stderr)
        return 2
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    found = record["differences"]
    print(
        f"arm64 {arguments.processor}: of {found['pages']} pages {found['texts']} read otherwise, {found['digits']} of "
        f"{record['digits']} digits; boxes differ by {found['largest_box_px']} px, confidences by {found['largest_confidence']:.3g} at most"
    )
    return int(bool(found["texts"] or found["digits"]))


def compared(reference: dict[str, Any], other: dict[str, Any], emulated: dict[str, str]) -> dict[str, Any]:
    """The record of two files of page_readings.py, as it is written. Raises CompareError when they are not of the same work."""
    for what in ("networks", "pictures_sha256"):
        if reference[what] != other[what]:
            raise CompareError(f"the two sides have different {what}; read the same pictures with the same wheel on both")
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "pictures_sha256": reference["pictures_sha256"],
        "networks_sha256": reference["networks"],
        "reference": reference["facts"],
        "emulated": {**emulated, **other["facts"]},
        "digits": sum(len(page["digits"]) for page in reference["pages"]),
        "differences": differences(reference["pages"], other["pages"]),
    }


def differences(reference: list[dict[str, Any]], other: list[dict[str, Any]]) -> dict[str, Any]:
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


if __name__ == "__main__":
    sys.exit(main())
