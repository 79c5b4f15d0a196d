"""The page and the API over a real connection: what is read, what is refused, and how."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_digits import Reader
from tests.command_line import LINES
from tests.picture_files import encode
from tests.strokes import draw_digit
from tests.web.conftest import SMALL_LIMIT, TOKEN, Address

pytest.importorskip("starlette", reason='the extra "web" is not installed')
pytest.importorskip("uvicorn", reason='the extra "web" is not installed')
pytest.importorskip("python_multipart", reason='the extra "web" is not installed')

KINDS = ("image/png", ";;;", "multipart/form-data; boundary=edge", "multipart/form-data; boundary=")


def drawing(digit: int) -> bytes:
    """A digit as the page's canvas sends it: white strokes on black, PNG."""
    glyph = draw_digit(digit, 200, 21)
    canvas = np.zeros((280, 280), np.uint8)
    top, left = (280 - glyph.shape[0]) // 2, (280 - glyph.shape[1]) // 2
    canvas[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    return encode("PNG", canvas)


def form(content: bytes, name: str = 'name="file"; filename="page.png"') -> tuple[bytes, str]:
    """A multipart body with one part, and its content type."""
    body = b"--edge\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n--edge--\r\n" % (name.encode(), content)
    return body, "multipart/form-data; boundary=edge"


def test_a_page_is_read_as_the_command_line_reads_it(server: Address, reader: Reader, good: Path) -> None:
    answer = server("/read", good.read_bytes())
    assert answer.status == 200
    reading, expected = answer.value, reader.read(good).to_dict()
    assert [line["text"] for line in reading["lines"]] == LINES
    assert reading["source"] == "upload"
    for entry in (reading, expected):
        del entry["source"], entry["elapsed_ms"]
    assert reading == expected


def test_a_form_gives_the_same(server: Address, good: Path) -> None:
    body, kind = form(good.read_bytes())
    assert [line["text"] for line in server("/read", body, content_type=kind).value["lines"]] == LINES
    body, kind = form(good.read_bytes(), 'name="anything"')
    assert server("/read", body, content_type=kind).status == 200


@pytest.mark.parametrize("digit", range(10))
def test_drawings_are_judged(server: Address, digit: int) -> None:
    tile = server("/tile", drawing(digit)).value
    assert tile["ink"] is True
    assert tile["digit"] == digit
    assert sum(tile["probabilities"]) == pytest.approx(1.0, abs=0.01)
    assert tile["probabilities"][digit] == tile["confidence"]
    assert len(tile["labels"]) == 11


def test_an_empty_canvas_is_no_digit(server: Address) -> None:
    tile = server("/tile", encode("PNG", np.zeros((280, 280), np.uint8))).value
    assert (tile["ink"], tile["digit"], sum(tile["probabilities"])) == (False, None, 0)


def test_a_page_without_digits_has_no_lines(server: Address) -> None:
    assert server("/read", encode("PNG", np.full((300, 300), 250, np.uint8))).value["lines"] == []


@pytest.mark.parametrize("path", ["/read", "/tile"])
@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "UploadError"),
        (b"no picture at all", 415, "InputDecodeError"),
        (b"\xff\xd8\xff\xe0 cut off", 415, "InputDecodeError"),
        (b"\x89PNG\r\n\x1a\n", 415, "InputDecodeError"),
        (b"x" * (SMALL_LIMIT + 1), 413, "UploadTooLarge"),
    ],
)
def test_bodies_that_hold_no_picture(server: Address, path: str, body: bytes, status: int, kind: str) -> None:
    answer = server(path, body)
    assert (answer.status, answer.error) == (status, kind)
    assert answer.value["error"]["message"]


def test_too_many_pixels_are_refused(server: Address) -> None:
    answer = server("/read", encode("PNG", np.zeros((1500, 1500), np.uint8)))
    assert (answer.status, answer.error) == (413, "InputTooLargeError")


def test_an_oversized_body_without_a_length_is_refused(server: Address) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
        link.sendall(b"POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        link.sendall(b"%x\r\n%s\r\n" % (SMALL_LIMIT + 1, b"x" * (SMALL_LIMIT + 1)))
        assert link.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--edge\r\nbroken", "multipart/form-data; boundary=edge"),
        (b"--edge\r\n", "multipart/form-data"),
        (b"nothing of it", "multipart/form-data; boundary=\xe9\xe9"),
        (form(b"")[0], form(b"")[1]),
    ],
)
def test_broken_forms_are_refused(server: Address, body: bytes, kind: str) -> None:
    answer = server("/read", body, content_type=kind)
    assert (answer.status, answer.error) == (400, "UploadError")


@settings(max_examples=40)
@given(st.binary(max_size=200), st.sampled_from(KINDS))
def test_no_body_breaks_the_server(server: Address, body: bytes, kind: str) -> None:
    assert server("/tile", body, content_type=kind).status in (400, 415)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused(server: Address, headers: dict[str, str]) -> None:
    answer = server("/tile", drawing(1), **headers)
    assert (answer.status, answer.error) == (403, "CrossSite")


@pytest.mark.parametrize("path", ["/camera", "/samples?hand=me", "/health"])
def test_pages_of_other_sites_cannot_even_look(server: Address, path: str) -> None:
    answer = server(path, sec_fetch_site="cross-site", sec_fetch_mode="no-cors")
    assert (answer.status, answer.error) == (403, "CrossSite")


def test_other_sites_may_link_to_the_page(server: Address) -> None:
    assert server("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status == 200


def test_our_own_page_is_let_in(server: Address) -> None:
    own = {"origin": f"http://127.0.0.1:{server.port}", "sec_fetch_site": "same-origin"}
    assert server("/tile", drawing(1), **own).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::2]"])
def test_foreign_hosts_are_refused(server: Address, host: str) -> None:
    answer = server("/health", host=host)
    assert (answer.status, answer.error) == (403, "ForeignHost")


def test_health_and_openapi(server: Address, reader: Reader) -> None:
    assert server("/health").value["model"]["sha256"] == reader.classifier.sha256
    description = server("/openapi.json").value
    assert description["openapi"].startswith("3.1")
    assert set(description["paths"]) == {
        "/read",
        "/tile",
        "/camera",
        "/hands",
        "/samples",
        "/corrections",
        "/adapt",
        "/rollback",
        "/health",
    }


def test_unknown_paths_and_methods_are_json_errors(server: Address) -> None:
    assert (server("/nothing").status, server("/nothing").error) == (404, "HTTPError")
    assert (server("/read").status, server("/read").error) == (405, "HTTPError")
    assert server("/health", method="DELETE").status == 405


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/static/main.js", "/index.html"])
def test_no_path_reaches_the_disk(server: Address, path: str) -> None:
    assert server(path).status == 404


def test_every_answer_has_the_security_headers(server: Address) -> None:
    for answer in (server("/"), server("/nothing"), server("/tile", b""), server("/health", host="evil.example")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_token_is_asked_for(guarded: Address) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"authorization": "Basic " + TOKEN}):
        answer = guarded("/tile", drawing(1), **headers)
        assert (answer.status, answer.error) == (401, "WrongToken")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded("/health").status == 401
    assert guarded(f"/health?token={TOKEN}x").status == 401


def test_the_token_lets_in(guarded: Address) -> None:
    assert guarded("/tile", drawing(1), authorization=f"Bearer {TOKEN}").status == 200
    assert guarded(f"/tile?token={TOKEN}", drawing(1)).status == 200
    assert guarded("/health", authorization=f"bearer {TOKEN}", host="pi.local:8765").status == 200
    assert guarded("/").status == guarded("/main.js").status == 200


def test_the_token_does_not_let_other_sites_in(guarded: Address) -> None:
    assert guarded(f"/tile?token={TOKEN}", drawing(1), origin="http://evil.example").status == 403


def test_many_at_once_get_their_own_answer(server: Address) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda digit: server("/tile", drawing(digit)).value["digit"], [*range(10)] * 2))
    assert answers == [*range(10)] * 2


def test_a_crowd_is_told_to_wait(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_digits.web.app.MOST_WAITING", 0)
    answer = server("/tile", drawing(1))
    assert (answer.status, answer.error) == (503, "Busy")


def test_a_slow_sender_is_cut_off(server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_digits.web.upload.BODY_TIMEOUT_S", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
        link.sendall(b"POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nonly this")
        assert link.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_caller_who_leaves_harms_nobody(server: Address) -> None:
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
            link.sendall(b"POST /read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nonly this")
    assert server("/tile", drawing(1)).status == 200


def test_colour_and_jpeg_are_taken(server: Address) -> None:
    colour = cv2.cvtColor(255 - cv2.imdecode(np.frombuffer(drawing(3), np.uint8), cv2.IMREAD_GRAYSCALE), cv2.COLOR_GRAY2BGR)
    assert server("/tile", encode("JPEG", colour)).value["digit"] == 3


def test_errors_are_json_even_when_we_are_at_fault(server: Address, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("edge_digits.web.app.read_page", fail)
    answer = server("/read", drawing(3))
    assert (answer.status, answer.error) == (500, "InternalError")
    assert "of ours" not in json.dumps(answer.value)
    monkeypatch.undo()
    assert server("/read", drawing(3)).status == 200
