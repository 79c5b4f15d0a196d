from __future__ import annotations

import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from edge_digits.errors import ExitCode
from export import calibration_tiles
from export.data import download
from export.data.download import DownloadError, cache_folder, download_file, download_set
from export.data.homes import HOMES_WITHOUT_CHECKSUM, OFFICIAL_FILES, RemoteFile

CONTENT = b"digits" * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Home(BaseHTTPRequestHandler):
    hits = 0

    def do_GET(self) -> None:
        type(self).hits += 1
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/foreign":
            self.wfile.write(b"220 another kind of server\r\n\r\n")
            return
        self.send_response(200)
        if self.path == "/cut-chunk":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n" % len(CONTENT) + CONTENT[:1000])
            return
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path in ("/cut", "/reset") else CONTENT)
        if self.path == "/reset":
            self.wfile.flush()
            # Closed without waiting: the other side gets a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def home() -> Iterator[str]:
    Home.hits = 0
    server = HTTPServer(("127.0.0.1", 0), Home)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def remote(home: str, path: str = "/file", checksum: str = SHA256, algorithm: str = "sha256") -> RemoteFile:
    return RemoteFile("file.gz", home + path, algorithm, checksum)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_file_arrives_whole_and_is_not_fetched_twice(home: str, tmp_path: Path) -> None:
    target = tmp_path / "set" / "file.gz"
    assert download_file(remote(home), target) == target
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["file.gz"]
    download_file(remote(home), target)
    assert Home.hits == 1


def test_md5_is_checked_as_well(home: str, tmp_path: Path) -> None:
    good = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert download_file(remote(home, checksum=good, algorithm="md5"), tmp_path / "file.gz").is_file()


def test_a_damaged_local_file_is_replaced(home: str, tmp_path: Path) -> None:
    target = tmp_path / "file.gz"
    target.write_bytes(b"half of i")
    download_file(remote(home), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "checksum", "said"),
    [
        ("/file", "0" * 64, "published is 0000"),
        ("/missing", SHA256, "404"),
        ("/cut", SHA256, "of 240000 bytes arrived"),
        ("/cut-chunk", SHA256, "cannot be fetched"),
        ("/reset", SHA256, "cannot be fetched|bytes arrived"),
        ("/foreign", SHA256, "cannot be fetched"),
    ],
)
def test_what_cannot_be_used_is_not_kept(home: str, tmp_path: Path, path: str, checksum: str, said: str) -> None:
    with pytest.raises(DownloadError, match=said) as caught:
        download_file(remote(home, path, checksum), tmp_path / "file.gz")
    assert "--data" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_wrong_download_leaves_the_old_file(home: str, tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(b"old")
    with pytest.raises(DownloadError):
        download_file(remote(home, checksum="f" * 64), tmp_path / "file.gz")
    assert (tmp_path / "file.gz").read_bytes() == b"old"


def test_nobody_answers(tmp_path: Path) -> None:
    closed = HTTPServer(("127.0.0.1", 0), Home)
    address = f"http://127.0.0.1:{closed.server_port}"
    closed.server_close()
    with pytest.raises(DownloadError, match="cannot be fetched"):
        download_file(remote(address), tmp_path / "file.gz")


def test_a_whole_set(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(RemoteFile(name, f"{home}/{name}", "sha256", SHA256) for name in ("a.gz", "b.gz"))
    monkeypatch.setitem(download.OFFICIAL_FILES, "twins", files)
    assert names(download_set("twins", tmp_path)) == ["a.gz", "b.gz"]


def test_an_unknown_set_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="mnist"):
        download_set("martian", tmp_path)


def test_the_table_holds_https_and_full_digests() -> None:
    lengths = {"md5": 32, "sha256": 64}
    remotes = [each for files in OFFICIAL_FILES.values() for each in files]
    assert len(remotes) > 10
    for each in remotes:
        assert each.url.startswith("https://")
        assert len(each.checksum) == lengths[each.algorithm]
        assert set(each.checksum) <= set("0123456789abcdef")
    assert all(url.startswith("https://") for url in HOMES_WITHOUT_CHECKSUM.values())


def test_the_cache_follows_the_users_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edge-digits" / "data"


@pytest.mark.parametrize(("path", "said"), [("/file", "published is 0000"), ("/missing", "404"), ("/cut", "bytes arrived")])
def test_a_command_without_a_data_folder_says_it_in_one_line(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, path: str, said: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(download.OFFICIAL_FILES, "mnist", (remote(home, path, "0" * 64),))
    assert calibration_tiles.main(["--out", str(tmp_path / "tiles.npz")]) == ExitCode.SOME_INPUTS_FAILED
    outcome = capsys.readouterr()
    assert outcome.out == ""
    assert said in outcome.err.splitlines()[-1]
    assert "Traceback" not in outcome.err
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
