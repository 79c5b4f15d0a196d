"""`edge-digits doctor`: is this installation sound, and if not, what to do about it. One screen.

Everything that may be broken is tried in a fresh process, since an import on the wrong machine can die of an illegal
instruction, which no `except` survives.

Exit codes: 0 nothing failed (warnings allowed); 2 the installation is broken; 3 a model is missing or damaged;
5 the asked-for provider was not obtained. The first of these that applies.
"""

from __future__ import annotations

import argparse
import json
import platform
import struct
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from edge_digits.bench import machine, power
from edge_digits.bench.children import ChildDiedError
from edge_digits.configuration import own_path, remember
from edge_digits.doctor.finding import Finding, broken, verdict
from edge_digits.doctor.libraries import look_at_extras, look_at_libraries
from edge_digits.doctor.models import look_at_models, try_models
from edge_digits.doctor.processor import look_at_cpu, look_at_power, look_at_python
from edge_digits.doctor.settings import look_at_settings
from edge_digits.doctor.speed import faster
from edge_digits.errors import ExitCode, UsageError
from edge_digits.options import PROVIDERS, RecognitionOptions

NEEDED: Final = ("numpy", "opencv", "onnxruntime")
"""Without these no model can be tried."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print the findings as one JSON object")
    parser.add_argument("--apply", action="store_true", help="remember the faster precision in edge-digits.toml")
    parser.add_argument("--model", default="default", metavar="NAME|PATH", help="model to test (default %(default)s)")
    parser.add_argument("--provider", default="auto", metavar="NAME", help=f"provider to try: {', '.join(PROVIDERS)} (default %(default)s)")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look at everything and print it."""
    options = RecognitionOptions(arguments.model, arguments.provider)
    findings, speed = examine(options, arguments.configuration)
    if arguments.apply:
        findings.append(apply_speed(speed, arguments.configuration or own_path()))
    code = verdict(findings)
    if arguments.json:
        print(json.dumps({"exit_code": int(code), **facts(), "findings": [entry(f) for f in findings]}, indent=1, ensure_ascii=False))
        return code
    for finding in findings:
        print(f"{finding.status:5} {finding.check:12} {finding.found}")
        if finding.advice:
            print(f"{'':18} -> {finding.advice}")
    return code


def facts() -> dict[str, Any]:
    """The machine that the findings are of."""
    return {"machine": machine.machine_facts(), "power": power.power_facts(), "software": machine.software_facts()}


def entry(finding: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {**asdict(finding), "exit_code": int(finding.exit_code)}


def examine(options: RecognitionOptions, settings: Path | None = None) -> tuple[list[Finding], dict[str, float]]:
    """All findings, and the milliseconds of a page's networks by precision, {} where they could not be tried."""
    known = machine.machine_facts()
    findings = [look_at_python(struct.calcsize("P") * 8, platform.machine()), look_at_cpu(known), look_at_power(power.power_facts())]
    findings += [look_at_settings(settings), *look_at_libraries()]
    speed: dict[str, float] = {}
    if not any(finding.status == "fail" and finding.check in NEEDED for finding in findings):
        try:
            report = try_models(options)
        except ChildDiedError as error:
            advice = "reinstall edge-digits and onnxruntime"
            findings.append(Finding("model", "fail", f"trying it failed: {error.reason}", advice, ExitCode.MODEL))
        else:
            findings += look_at_models(report, options.provider)
            speed = report["speed"]
    if sys.platform == "linux":
        from edge_digits.doctor.cameras import look_at_cameras

        findings += look_at_cameras(known["board"])
    return [*findings, look_at_extras()], speed


def apply_speed(ms: Mapping[str, float], path: Path) -> Finding:
    """Write the faster precision into the file, where both were timed."""
    if len(ms) < 2:
        return Finding("applied", "warn", "nothing: int8 and float could not both be timed", "mend what failed above, then try again")
    precision = faster(ms)
    reason = f"{', '.join(f'{name} {value:.1f} ms' for name, value in ms.items())}; edge-digits doctor, {machine.utc_now()[:10]}"
    try:
        remember(path, "precision", precision, reason)
    except UsageError as error:
        return broken("applied", str(error), "")
    return Finding("applied", "ok", f'precision = "{precision}" in {path}')
