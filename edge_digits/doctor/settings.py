"""Is edge-digits.toml sound for every command it has a table for? The commands are asked in a fresh process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from edge_digits.bench.children import ChildDiedError, run_child
from edge_digits.configuration import load_configuration
from edge_digits.doctor.finding import Finding, broken
from edge_digits.errors import UsageError

ADVICE: Final = "mend the file, or name another with --config"

ASKING_CODE: Final = """
import contextlib, io
from edge_digits.cli import main
path, commands = argument
for command in commands:
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            code = main(["--config", path, command, "--help"])
        except SystemExit as stop:
            code = stop.code
    if code:
        result["complaint"] = said.getvalue().strip().removeprefix("edge-digits: ")
        break
"""


def look_at_settings(path: Path | None) -> Finding:
    """path : the file that counts, None where there is none."""
    if path is None:
        return Finding("settings", "ok", "no edge-digits.toml; all options have their defaults")
    try:
        content = load_configuration(path)
        # `info` has no options of its own: it finds what is wrong above and with the names of the tables.
        result: dict[str, Any]
        result, _ = run_child(ASKING_CODE, [str(path), ["info", *(name for name, value in content.items() if isinstance(value, dict))]])
    except UsageError as error:
        return broken("settings", str(error), ADVICE)
    except ChildDiedError as error:
        return Finding("settings", "warn", f"{path}: could not be tried ({error.reason})", "repair the installation first")
    if "complaint" in result:
        return broken("settings", result["complaint"], ADVICE)
    return Finding("settings", "ok", f"{path}: {', '.join(content) or 'empty'}")
