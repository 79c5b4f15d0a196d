"""`edge-digits.toml`: defaults for the options of every command, under the names that they have on the command line.

    precision = "float"          # above any table: for every command that takes it

    [watch]                      # a table a command
    source = "/dev/video0"
    no-window = true

Taken from `--config FILE`, else from $EDGE_DIGITS_CONFIG, else from the user's own edge-digits/edge-digits.toml below
$XDG_CONFIG_HOME or ~/.config, where there is one. Never from the folder somebody happens to stand in: options may name commands
to run. What stands on the command line wins. A key that no option has is an error, and not silently nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import MissingExtraError, UsageError

FILE_NAME: Final = "edge-digits.toml"
VARIABLE: Final = "EDGE_DIGITS_CONFIG"

Table = Mapping[str, Any]


def configuration_path(asked: str | None = None) -> Path | None:
    """The file that counts: the one asked for, else that of the environment, else the user's own if there is one."""
    named = asked or os.environ.get(VARIABLE)
    if named:
        return Path(named)
    own = own_path()
    return own if own.is_file() else None


def own_path() -> Path:
    """Where the user's own file is, or would be."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path("~/.config").expanduser()) / "edge-digits" / FILE_NAME


def load_configuration(path: Path | None, commands: Sequence[str] | None = None) -> dict[str, Any]:
    """The file's content, {} without a file. commands : the names that tables may have, None allows any. Raises UsageError."""
    if path is None:
        return {}
    try:
        content = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"configuration {path} cannot be read ({error.strerror}); name another with --config") from error
    except ValueError as error:  # of the TOML, or of the encoding
        raise UsageError(f"configuration {path} is no TOML: {error}") from error
    for name, value in content.items():
        if commands is not None and isinstance(value, dict) and name not in commands:
            raise UsageError(f"configuration {path}: there is no command '{name}'{_near(name, commands)}")
    return content


def apply_configuration(parser: argparse.ArgumentParser, command: str, content: Table, path: Path | None) -> None:
    """Make the file's values the defaults of a command's parser. Raises UsageError for a key or value that fits no option."""
    own, place = _options(parser), f"configuration {path}:"
    shared = {name: value for name, value in content.items() if not isinstance(value, dict)}
    known = _options(_shared_parser()) if shared else {}
    for name, value in shared.items():
        default = _default(_find(known, name, f"{place} no option '{name}' may stand above the tables"), value, f"{place} '{name}'")
        if name in own:
            _set(own[name], default)
    for name, value in content.get(command, {}).items():
        action = _find(own, name, f"{place} [{command}] has no option '{name}'")
        _set(action, _default(action, value, f"{place} '{name}' in [{command}]"))


def remember(path: Path, name: str, value: str, reason: str) -> None:
    """Set a text option above all tables of the file, and leave everything else in it as it is; makes the file if need be.

    reason : a comment written behind it. The file is replaced in one step. Raises UsageError when it cannot be.
    """
    line = f'{name} = "{value}"  # {reason}\n'
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        after = "".join(_with_line(before.splitlines(keepends=True), name, line))
        if _parse(after) != {**_parse(before), name: value}:
            raise UsageError(f"{path} is written in a way that cannot be changed safely; write into it yourself: {line.strip()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            draft.write(after)
        if path.is_file():
            Path(draft.name).chmod(path.stat().st_mode & 0o777)
        else:
            Path(draft.name).chmod(0o644)
        Path(draft.name).replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); write into it yourself: {line.strip()}") from error


def _with_line(lines: Sequence[str], name: str, line: str) -> Iterator[str]:
    """The lines with the option's own replaced, or put first where it has none; options of tables are left alone."""
    tables = next((index for index, text in enumerate(lines) if text.lstrip().startswith("[")), len(lines))
    own = next((index for index, text in enumerate(lines[:tables]) if text.split("=", 1)[0].strip().strip("\"'") == name), None)
    if own is None:
        yield line
    yield from (line if index == own else text for index, text in enumerate(lines))


def _parse(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError as error:
            raise MissingExtraError("a configuration file needs Python 3.11 or newer, or: pip install tomli") from error
    return tomllib.loads(text)


def _shared_parser() -> argparse.ArgumentParser:
    """The options that a key above all tables may set."""
    from edge_digits.arguments import add_reader_arguments

    parser = argparse.ArgumentParser(add_help=False)
    add_reader_arguments(parser)
    return parser


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Long names, without dashes, and names of positional arguments -> actions; those that only print are left out."""
    found: dict[str, argparse.Action] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its arguments
        if action.dest in ("help", "version"):
            continue
        names = [option[2:] for option in action.option_strings if option.startswith("--")] or [action.dest]
        found |= dict.fromkeys(names, action)
    return found


def _find(options: Mapping[str, argparse.Action], name: str, complaint: str) -> argparse.Action:
    if name not in options:
        raise UsageError(complaint + _near(name, options))
    return options[name]


def _set(action: argparse.Action, default: Any) -> None:
    action.default = default
    action.required = False


def _default(action: argparse.Action, value: Any, where: str) -> Any:
    """The value as the command line would give it. Raises UsageError."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise UsageError(f"{where} is {value!r}; give true or false")
        return value is (action.const is not False)  # store_true and both of --x/--no-x as they stand, store_false turned
    if isinstance(action.nargs, int) or action.nargs in ("+", "*"):
        if not isinstance(value, list):
            raise UsageError(f"{where} is {value!r}; give a list, such as [{value!r}]")
        return [_convert(action, word, where) for word in value]
    return _convert(action, value, where)


def _convert(action: argparse.Action, value: Any, where: str) -> Any:
    """One word, by the type and the choices of the option."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{where} is {value!r}; give a number or a text")
    kind = action.type
    try:
        converted = kind(str(value)) if callable(kind) else str(value)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{where}: {error}") from error
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where} is {value!r}; give {_kind_name(kind)}") from error
    if action.choices is not None and converted not in action.choices:
        raise UsageError(f"{where} is {value!r}; choose one of {', '.join(map(str, action.choices))}")
    return converted


def _kind_name(kind: Any) -> str:
    return {int: "a whole number", float: "a number"}.get(kind, "what --help says")


def _near(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(sorted(known))}"
