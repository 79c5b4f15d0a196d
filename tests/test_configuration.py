"""`edge-digits.toml`: defaults from the file, mistakes in one line, one value written without touching the rest."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import pytest

from edge_digits import configuration
from edge_digits.cli import COMMANDS, main
from edge_digits.errors import ExitCode, UsageError
from tests.command_line import TEXT, Run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="edge-digits watch")
    made.add_argument("source", nargs="?", default="0")
    made.add_argument("--no-window", action="store_true")
    made.add_argument("--sound", action=argparse.BooleanOptionalAction, default=True)
    made.add_argument("--silent", dest="loud", action="store_false")
    made.add_argument("--fps", type=float, default=30.0)
    made.add_argument("--format", choices=("text", "json"), default="text")
    made.add_argument("--on-settled", nargs="+")
    made.add_argument("--out", required=True)
    made.add_argument("--precision", default="auto")
    return made


def parse(tmp_path: Path, text: str, *words: str) -> argparse.Namespace:
    path = tmp_path / "edge-digits.toml"
    path.write_text(text, encoding="utf-8")
    made = parser()
    configuration.apply_configuration(made, "watch", configuration.load_configuration(path, list(COMMANDS)), path)
    return made.parse_args(list(words))


def test_values_of_every_kind_become_defaults(tmp_path: Path) -> None:
    text = 'precision = "float"\nthreads = 3\n[watch]\nsource = "rtsp://camera"\nno-window = true\nsound = false\nsilent = true\nfps = 15\n'
    text += 'format = "json"\non-settled = ["notify", "--now"]\nout = "x"\n'
    found = vars(parse(tmp_path, text))
    assert found == {
        "source": "rtsp://camera",
        "no_window": True,
        "sound": False,
        "loud": False,
        "fps": 15.0,
        "format": "json",
        "on_settled": ["notify", "--now"],
        "out": "x",
        "precision": "float",
    }


def test_the_command_line_wins(tmp_path: Path) -> None:
    found = parse(tmp_path, '[watch]\nfps = 15\nsource = "1"\nsound = false\n', "2", "--fps", "5", "--sound", "--out", "y")
    assert (found.source, found.fps, found.sound, found.out) == ("2", 5.0, True, "y")


def test_a_table_wins_over_what_stands_above_it(tmp_path: Path) -> None:
    assert parse(tmp_path, 'precision = "float"\n[watch]\nprecision = "int8"\n', "--out", "y").precision == "int8"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert parse(tmp_path, "", "--out", "y") == parser().parse_args(["--out", "y"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[watch]\nno-windw = true\n", "[watch] has no option 'no-windw'; did you mean 'no-window'?"),
        ("[watch]\nhelp = true\n", "[watch] has no option 'help'; known: "),
        ("[wach]\nfps = 3\n", "there is no command 'wach'; did you mean 'watch'?"),
        ('presision = "int8"\n', "no option 'presision' may stand above the tables; did you mean 'precision'?"),
        ("fps = 3\n", "no option 'fps' may stand above the tables; "),
        ('[watch]\nfps = "fast"\n', "'fps' in [watch] is 'fast'; give a number"),
        ("[watch]\nfps = true\n", "'fps' in [watch] is True; give a number or a text"),
        ("[watch]\nfps = [1]\n", "'fps' in [watch] is [1]; give a number or a text"),
        ('[watch]\nno-window = "yes"\n', "'no-window' in [watch] is 'yes'; give true or false"),
        ('[watch]\nformat = "xml"\n', "'format' in [watch] is 'xml'; choose one of text, json"),
        ('[watch]\non-settled = "notify"\n', "'on-settled' in [watch] is 'notify'; give a list"),
        ("threads = 1.5\n", "'threads' is 1.5; give a whole number"),
        ("[watch\n", "is no TOML: "),
    ],
)
def test_mistakes_are_told_with_file_and_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        parse(tmp_path, text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"configuration {tmp_path / 'edge-digits.toml'}")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    path = tmp_path / "edge-digits.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no TOML"):
        configuration.load_configuration(path, [])


def test_the_file_asked_for_then_the_environment_then_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DIGITS_CONFIG", "from-environment.toml")
    assert configuration.configuration_path("asked.toml") == Path("asked.toml")
    assert configuration.configuration_path() == Path("from-environment.toml")
    monkeypatch.delenv("EDGE_DIGITS_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert configuration.configuration_path() is None
    own = tmp_path / "edge-digits" / "edge-digits.toml"
    own.parent.mkdir()
    own.touch()
    assert configuration.configuration_path() == own


@pytest.mark.parametrize("spelled", [["--config", "FILE"], ["--config=FILE"]])
def test_a_command_takes_its_table(spelled: list[str], good: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "own.toml"
    path.write_text('provider = "cpu"\n[read]\nformat = "json"\n[batch]\nworkers = 3\n')
    outcome = run(*(word.replace("FILE", str(path)) for word in spelled), "read", good)
    assert outcome.code == ExitCode.OK
    assert [line["text"] for line in outcome.pages[0]["lines"]] == TEXT.split("\n")[:-1]
    outcome = run("--config", path, "read", good, "--format", "text")
    assert outcome.out == TEXT


@pytest.mark.parametrize(
    ("content", "said"), [("[read]\nformatt = 'json'\n", "did you mean 'format'?"), (None, "cannot be read (No such file or directory)")]
)
def test_a_bad_file_is_one_line_of_wrong_usage(content: str | None, said: str, good: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_text(content)
    outcome = run("--config", path, "read", good)
    assert (outcome.code, outcome.out) == (ExitCode.USAGE, "")
    assert len(outcome.complaints) == 1
    assert said in outcome.complaints[0]


def test_config_without_a_file_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config"]) == ExitCode.USAGE
    assert "--config needs the name of a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'precision = "float"  # faster\n'),
        ("[watch]\nprecision = 'int8'\n", "precision = \"float\"  # faster\n[watch]\nprecision = 'int8'\n"),
        ("# mine\nprecision = 'int8' # old\n\n[watch]\nfps = 3\n", '# mine\nprecision = "float"  # faster\n\n[watch]\nfps = 3\n'),
    ],
)
def test_one_value_is_remembered_and_the_rest_stays(before: str, after: str, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "edge-digits.toml"
    if before:
        path.parent.mkdir()
        path.write_text(before)
    configuration.remember(path, "precision", "float", "faster")
    assert path.read_text() == after
    assert tomllib.loads(after)["precision"] == "float"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_that_cannot_be_changed_safely_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "edge-digits.toml"
    text = 'model = """\nprecision = 3\n"""\n'
    path.write_text(text)
    with pytest.raises(UsageError, match="write into it yourself"):
        configuration.remember(path, "precision", "float", "faster")
    assert path.read_text() == text


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        configuration.remember(tmp_path / "file" / "edge-digits.toml", "precision", "float", "faster")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_given_what_stands_above_the_tables(name: str) -> None:
    made = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[name][0]).add_arguments(made)
    takes_it = made.get_default("precision") is not None
    configuration.apply_configuration(made, name, {"precision": "float", "threads": 1}, None)
    assert made.get_default("precision") == ("float" if takes_it else None)
