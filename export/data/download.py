"""Fetches a data set from its official home and refuses whatever is not byte for byte what was published."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edge_digits.errors import EdgeDigitsError
from export.data.homes import OFFICIAL_FILES, RemoteFile

CHUNK_BYTES: Final = 1 << 16
TIMEOUT_S: Final = 30.0
# Some homes answer 403 to Python's own agent string.
USER_AGENT: Final = "edge-digits-export/1"


class DownloadError(EdgeDigitsError):
    """A data file could not be fetched, or is not the published one."""


def cache_folder() -> Path:
    """Where downloaded sets are kept: $XDG_CACHE_HOME/edge-digits/data, else ~/.cache/edge-digits/data."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "edge-digits" / "data"


def download_set(name: str, folder: Path) -> Path:
    """Bring all files of a set into folder/name; files already there with the right checksum stay.

    Returns folder/name. Raises DownloadError with what failed and what to do.
    """
    if name not in OFFICIAL_FILES:
        raise DownloadError(f"no download known for set '{name}'; known: {', '.join(sorted(OFFICIAL_FILES))}")
    for remote in OFFICIAL_FILES[name]:
        download_file(remote, folder / name / remote.name)
    return folder / name


def download_file(remote: RemoteFile, path: Path) -> Path:
    """Fetch one file, check it, and only then give it its name.

    A file that is already there with the right checksum is kept. Raises DownloadError.
    """
    if path.is_file() and _digest_of(path, remote.algorithm) == remote.checksum:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial_name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise DownloadError(f"{path}: cannot be written ({error.strerror}); choose another folder with --data") from error
    partial = Path(partial_name)
    try:
        with os.fdopen(handle, "wb") as out:
            digest = hashlib.new(remote.algorithm, usedforsecurity=False)
            for chunk in _fetch(remote):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != remote.checksum:
            raise DownloadError(
                f"{remote.url}: {remote.algorithm} is {digest.hexdigest()}, published is {remote.checksum}; "
                "the file is not kept; try again later or give a local folder with --data"
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _fetch(remote: RemoteFile) -> Iterator[bytes]:
    request = urllib.request.Request(remote.url, headers={"User-Agent": USER_AGENT})  # noqa: S310 - addresses come from the table
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            total = int(answer.headers.get("Content-Length") or 0)
            received = 0
            with _progress(remote.name, total) as bar:
                while chunk := answer.read(CHUNK_BYTES):
                    received += len(chunk)
                    bar.update(len(chunk))
                    yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{remote.url}: the server answered {error.code} {error.reason}; give a local folder with --data") from error
    except (OSError, http.client.HTTPException) as error:  # the second: an answer that is no HTTP, or ends in the middle of a chunk
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise DownloadError(f"{remote.url}: cannot be fetched ({reason}); check the network or give a local folder with --data") from error
    if total and received < total:
        raise DownloadError(f"{remote.url}: {received} of {total} bytes arrived; try again or give a local folder with --data")


def _progress(name: str, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=total or None, desc=name, unit="B", unit_scale=True, delay=2.0, file=sys.stderr)


def _digest_of(path: Path, algorithm: str) -> str:
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
