"""`edge-digits form`: the printed sheet of a template."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from edge_digits.errors import ExitCode, UsageError
from edge_digits.forms.printing import print_sheet
from edge_digits.forms.template_file import load_template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `form`."""
    parser.add_argument("template", nargs="?", type=Path, help="template of the sheet: .yaml, .yml or .toml")
    parser.add_argument("--out", type=Path, metavar="PDF", help="sheet to write (default: the template's name with .pdf)")
    parser.add_argument("--overwrite", action="store_true", help="replace the sheet if it is there")
    parser.add_argument("--example", action="store_true", help="print a template to begin with, and end")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the sheet. Raises UsageError, MissingExtraError."""
    if arguments.example:
        print(files("edge_digits.forms").joinpath("example.yaml").read_text(encoding="utf-8"), end="")
        return ExitCode.OK
    if arguments.template is None:
        raise UsageError("no template given; name a .yaml or .toml file, or begin with: edge-digits form --example > form.yaml")
    template = load_template(arguments.template)
    out: Path = arguments.out or arguments.template.with_suffix(".pdf")
    if out.suffix.lower() != ".pdf":
        raise UsageError(f"--out {out}: sheets are PDF; name it .pdf")
    if out.is_dir() or not out.resolve().parent.is_dir():
        raise UsageError(f"--out {out}: is no place for a file; name one in a folder that exists")
    if out.exists() and not arguments.overwrite:
        raise UsageError(f"--out {out}: exists; --overwrite replaces it")
    print_sheet(template, out)
    size = " x ".join(f"{side:g}" for side in template.size)
    print(
        f"edge-digits: {out}: {len(template.fields)} fields on {size} mm, print it at 100 %; read filled sheets with: "
        f"edge-digits batch SCANS --template {arguments.template} --out results.csv",
        file=sys.stderr,
    )
    return ExitCode.OK
