"""Makes pages of handwriting as people photograph them, with the truth of every digit.

    python -m export.pages --data DIR --fonts /usr/share/fonts --out runs/pages --count 500 --seed 1

OUT/pages/000000.jpg and so on are the pictures, OUT/pages.jsonl one JSON object a page as `edge-digits read --format json`
prints it, OUT/truth.json what a scorer compares with, OUT/contact.jpg and OUT/contact_truth.jpg the first pages to look at.
The same seed gives the same pages, with any number of processes. After an interruption the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
from tqdm import tqdm

from edge_digits.errors import EdgeDigitsError, ExitCode, UsageError
from export.pages.contact_sheet import contact_sheet, marked
from export.pages.sheet import SHEET_KINDS
from export.pages.store import make_in_worker, start_worker, write_whole
from export.pages.truth import truth_entry

ON_CONTACT_SHEET: Final = 60


def main(arguments: list[str] | None = None) -> ExitCode:
    """Run the command."""
    options = _parse(arguments)
    try:
        _run(options)
    except EdgeDigitsError as error:
        print(f"export.pages: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("export.pages: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _run(options: argparse.Namespace) -> None:
    fonts = options.fonts and str(options.fonts)
    settings = {"seed": options.seed, "split": options.split, "data": str(options.data), "fonts": fonts, "only": options.only}
    pages = _pages_there(options.out, settings)
    if len(pages) > options.count:
        raise UsageError(f"{options.out}: holds {len(pages)} pages and --count is {options.count}; give another --out, or a larger --count")
    missing = [index for index in range(options.count) if index not in pages]
    if missing:
        with (options.out / "pages.jsonl").open("a", encoding="utf-8") as file:
            for index, page in tqdm(_made(options, missing), total=len(missing), unit="page", file=sys.stderr):
                pages[index] = page
                file.write(json.dumps(page, ensure_ascii=False) + "\n")
                file.flush()
    ordered = [pages[index] for index in sorted(pages)]
    write_whole(options.out / "pages.jsonl", "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in ordered).encode())
    truth = {Path(page["source"]).name: truth_entry(page) for page in ordered}
    write_whole(options.out / "truth.json", json.dumps(truth, ensure_ascii=False, indent=1).encode())
    _write_contact_sheets(options.out, ordered[:ON_CONTACT_SHEET])
    digits = sum(entry["digits_total"] for entry in truth.values())
    print(f"{options.out}: {len(ordered)} pages, {len(missing)} of them new, with {digits} digits", file=sys.stderr)


def _pages_there(out: Path, settings: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The pages that an earlier run finished, by index. Raises UsageError when they were made with other settings."""
    path = out / "settings.json"
    try:
        (out / "pages").mkdir(parents=True, exist_ok=True)
        if not path.exists():
            if any((out / "pages").iterdir()):
                raise UsageError(f"{out}: holds pages that this command did not make; give another --out")
            write_whole(path, json.dumps(settings, indent=1).encode())
        before = json.loads(path.read_text(encoding="utf-8"))
        lines = (out / "pages.jsonl").read_text(encoding="utf-8").splitlines() if (out / "pages.jsonl").exists() else []
    except (OSError, ValueError) as error:
        raise error if isinstance(error, UsageError) else UsageError(f"{out}: cannot be used ({error}); give another --out") from error
    for name, value in settings.items():
        if before.get(name) != value:
            raise UsageError(f"{out}: its pages were made with --{name} {before.get(name)}, not {value}; give another --out")
    return {int(Path(page["source"]).stem): page for page in map(_parsed, lines) if page and (out / page["source"]).exists()}


def _parsed(line: str) -> dict[str, Any] | None:
    """The page of a line; None of one that was cut off when the run was stopped."""
    try:
        page = json.loads(line)
    except ValueError:
        return None
    return page if isinstance(page, dict) else None


def _made(options: argparse.Namespace, indices: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Pages with their index, as they are made."""
    work = partial(make_in_worker, options.out, options.seed, options.only)
    arguments = (options.data, options.fonts, options.split)
    if options.jobs == 1:
        start_worker(*arguments)
        yield from zip(indices, map(work, indices), strict=True)
        return
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), start_worker, arguments) as pool:
        try:
            yield from zip(indices, pool.map(work, indices, chunksize=4), strict=True)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _write_contact_sheets(out: Path, pages: list[dict[str, Any]]) -> None:
    pictures = [cv2.imread(str(out / page["source"])) for page in pages]
    for name, shown in (
        ("contact.jpg", pictures),
        ("contact_truth.jpg", [marked(p, page) for p, page in zip(pictures, pages, strict=True)]),
    ):  # type: ignore[arg-type]
        write_whole(out / name, cv2.imencode(".jpg", contact_sheet(shown))[1].tobytes())  # type: ignore[arg-type]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m export.pages", description="Make pages of handwriting as people photograph them.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="local data folder; mnist/ at least lies in it")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="folder of fonts, handwritten and printed")
    parser.add_argument("--split", choices=("train", "validation"), default="train", help="whose digits are written (default: %(default)s)")
    parser.add_argument("--only", choices=SHEET_KINDS, metavar="KIND", help="one kind of sheet: " + ", ".join(SHEET_KINDS))
    parser.add_argument("--count", type=int, required=True, metavar="N", help="pages in all")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="other pages for another seed (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the pages; finished ones in it are kept")
    options = parser.parse_args(arguments)
    for name, least in (("count", 1), ("jobs", 1), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}; give a number of at least {least}")
    return options


if __name__ == "__main__":
    sys.exit(main())
