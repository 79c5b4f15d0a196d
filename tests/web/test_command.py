"""`edge-digits serve` as a program, its wrong uses, and the page's own rules."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from importlib import resources

import pytest

from tests.command_line import Run
from tests.web.conftest import Address

STATIC = resources.files("edge_digits.web").joinpath("static")


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
def test_the_program_serves_until_it_is_interrupted() -> None:
    pytest.importorskip("uvicorn")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "edge_digits", "serve", "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stderr is not None
            line = program.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert found, line
            assert Address(int(found.group(1)))("/health").status == 200
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=20)
        finally:
            program.kill()
    assert program.returncode == 130
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "--token"),
        (["--host", "::"], "--token"),
        (["--token", "short"], "at least 16"),
        (["--max-upload-mb", "0"], "max-upload-mb"),
        (["--port", "70000"], "port is 70000"),
        (["--host", "256.1.1.1", "--token", "a-token-of-24-characters"], "cannot listen"),
        (["--max-megapixels", "0"], "max-megapixels"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], says: str) -> None:
    pytest.importorskip("uvicorn")
    outcome = run("serve", *arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.complaints) == 1
    assert says in outcome.complaints[0]


def test_a_port_in_use_is_said_so(run: Run) -> None:
    pytest.importorskip("uvicorn")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = run("serve", "--port", taken.getsockname()[1])
    assert outcome.code == 2
    assert "choose another --port" in outcome.complaints[0]


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "python_multipart"])
def test_without_the_extra_the_install_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    outcome = run("serve")
    assert outcome.code == 2
    assert 'pip install "edge-digits[web]"' in outcome.complaints[0]


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
def test_the_page_needs_nothing_from_elsewhere(name: str) -> None:
    text = STATIC.joinpath(name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text) == []
    assert "@import" not in text


def test_the_page_obeys_its_own_content_policy() -> None:
    page = STATIC.joinpath("index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"\sstyle=|\son[a-z]+=|<style", page) == []


def test_everything_on_the_page_has_a_name() -> None:
    page = STATIC.joinpath("index.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    for name in re.findall(r'<input[^>]*id="([a-z]+)"', page):
        assert f'<label for="{name}">' in page
    assert all("aria-label=" in tag for tag in re.findall(r"<canvas[^>]*>", page))


def test_every_part_that_the_scripts_name_is_on_the_page() -> None:
    scripts = [path.read_text(encoding="utf-8") for path in STATIC.iterdir() if path.name.endswith(".js")]
    named = {name for script in scripts for name in re.findall(r'byId\("([a-z-]+)"\)', script)}
    assert len(named) > 20
    assert named <= set(re.findall(r'id="([a-z-]+)"', STATIC.joinpath("index.html").read_text(encoding="utf-8")))


def test_the_static_folder_holds_what_is_served_and_no_more() -> None:
    from edge_digits.web.static_files import load_static_files

    assert {path.name for path in STATIC.iterdir()} == {name.lstrip("/") or "index.html" for name in load_static_files()}
