"""Measures how forms are read: printed, filled in by hands that never trained, photographed, read back.

    python -m export.forms --data DIR --template edge_digits/forms/example.yaml --fields 1000 --out deploy/results/forms.json

A field is right, doubtful (a person is asked) or silently wrong: what counts is that the last are none. Pictures of
fields that were silently wrong are stored beside --out, in a folder of its name: some sets hold wrong labels.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from time import process_time
from typing import Any, Final

import cv2
from tqdm import tqdm

from edge_digits._version import __version__
from edge_digits.errors import EdgeDigitsError, ExitCode, FormNotFoundError, UsageError
from edge_digits.forms.fields import FieldReading
from edge_digits.forms.form_reader import FormReader
from edge_digits.forms.template_file import load_template
from edge_digits.options import Options, RecognitionOptions
from edge_digits.sources.frame import Frame
from export.forms.filling import print_blank
from export.forms.photographs import FilledForm, load_form_sources, make_form

SETS: Final = ("mnist_test", "usps_test", "optdigits_tes")
"""Hold-outs whose labels are nearly all right; of Chen-MNIST one label in fifty is wrong."""


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        record = measure(options)
        _store(options.out, record)
    except EdgeDigitsError as error:
        print(f"export.forms: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps({key: record[key] for key in ("fields", "right", "doubtful", "silently_wrong", "right_or_doubtful")}))
    return ExitCode.OK


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The record of a run: counts by outcome, set and setting, reasons of doubts, each silent error."""
    cv2.setNumThreads(1)
    template = load_template(options.template)
    blank, sources = print_blank(template), load_form_sources(options.data, options.sets)
    reader = FormReader(template, Options(recognition=RecognitionOptions(threads=1)))
    outcomes: Counter[tuple[str, str, str]] = Counter()
    reasons: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    seconds: list[float] = []
    count = -(-options.fields // len(template.fields))
    for index in tqdm(range(count), unit="form", file=sys.stderr):
        form = make_form(template, blank, sources, options.seed, index)
        frame = Frame.from_array(form.photo.picture, f"form {index}")
        started = process_time()
        try:
            found = reader.read_frame(frame).fields
        except FormNotFoundError as error:
            outcomes[("not found", form.home, form.photo.setting)] += len(template.fields)
            reasons[str(error).partition(": ")[2]] += len(template.fields)
            continue
        seconds.append(process_time() - started)
        for each in found:
            outcome = _outcome(each, form)
            outcomes[(outcome, form.home, form.photo.setting)] += 1
            reasons.update(each.reasons)
            if outcome == "wrong":
                wrong.append({"form": index, "field": each.field.name, "written": form.values[each.field.name], "read": each.value})
                _store_crop(options.out, wrong[-1], each, frame)
    return _record(options, outcomes, reasons, wrong, seconds)


def _outcome(reading: FieldReading, form: FilledForm) -> str:
    written = form.values[reading.field.name]
    value = reading.field.expectation.canonical(written) if written else ""
    return "doubtful" if reading.doubtful else "right" if reading.value == value else "wrong"


def _record(
    options: argparse.Namespace,
    outcomes: Counter[tuple[str, str, str]],
    reasons: Counter[str],
    wrong: list[dict[str, Any]],
    seconds: list[float],
) -> dict[str, Any]:
    total = sum(outcomes.values())
    by = {
        kind: {
            name: _counts(Counter({k: n for k, n in outcomes.items() if k[place] == name})) for name in sorted({k[place] for k in outcomes})
        }
        for kind, place in (("by_set", 1), ("by_setting", 2))
    }
    return {
        "what": "fields of printed forms, filled in with held-out digits, photographed (rendered), read back",
        "version": __version__,
        "template": Path(options.template).name,
        "sets": list(options.sets),
        "seed": options.seed,
        "forms": -(-total // len(load_template(options.template).fields)),
        **_counts(outcomes),
        "right_or_doubtful": round(1.0 - len(wrong) / max(1, total), 5),
        "reasons": dict(reasons.most_common()),
        **by,
        "processor_seconds_a_form": round(sorted(seconds)[len(seconds) // 2], 3) if seconds else None,
        "load_at_the_end": [round(each, 1) for each in os.getloadavg()],
        "wrong": wrong,
    }


def _counts(outcomes: Counter[tuple[str, str, str]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (outcome, *_), count in outcomes.items():
        found[outcome] += count
    return {
        "fields": sum(found.values()),
        "right": found["right"],
        "doubtful": found["doubtful"],
        "form_not_found": found["not found"],
        "silently_wrong": found["wrong"],
    }


def _store(out: Path, record: dict[str, Any]) -> None:
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(out)
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written ({error.strerror}); give another file") from error


def _store_crop(out: Path, entry: dict[str, Any], reading: FieldReading, frame: Frame) -> None:
    x, y, w, h = reading.box
    folder = out.with_suffix("")
    try:
        folder.mkdir(exist_ok=True)
        crop = frame.picture[max(0, y - h // 3) : y + h + h // 3, max(0, x - h // 3) : x + w + h // 3]
        path = folder / f"{entry['form']:04d}-{entry['field']}-{entry['written'].replace('/', '')}.png"
        path.write_bytes(cv2.imencode(".png", crop)[1].tobytes())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror}); give another --out") from error


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.forms", description="Measure how printed forms are read back.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="local data folder")
    example = Path(str(files("edge_digits.forms").joinpath("example.yaml")))
    parser.add_argument("--template", type=Path, default=example, metavar="FILE", help="template of the forms (default: the example)")
    parser.add_argument("--fields", type=int, default=1000, metavar="N", help="fields at least (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="other forms for another seed (default: %(default)s)")
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="SET", help=f"whose digits (default: {' '.join(SETS)})")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="record to write")
    options = parser.parse_args(arguments)
    if options.fields < 1:
        parser.error(f"--fields is {options.fields}; give a number of at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
