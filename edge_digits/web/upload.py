"""Takes a picture out of a request's body, in memory: plain bytes, or the first file of a multipart form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any, Final

from edge_digits.errors import EdgeDigitsError

BODY_TIMEOUT_S: Final = 30.0
"""A phone on a poor network sends ten megabytes in this time; whoever is slower is cut off."""
MOST_HELD_BYTES: Final = 200_000_000
"""Of all uploads together; eight of the largest, and far more of what phones send."""


class UploadError(EdgeDigitsError):
    """The body holds no picture. status : of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UploadRoom:
    """Counts the bytes that all uploads hold, so that many large ones at once do not take all memory. For one event loop."""

    def __init__(self, most_bytes: int = MOST_HELD_BYTES) -> None:
        self.most_bytes, self.held_bytes = most_bytes, 0

    @contextmanager
    def share(self) -> Iterator[UploadShare]:
        """Room for one upload, given back at the end."""
        share = UploadShare(self)
        try:
            yield share
        finally:
            self.held_bytes -= share.held_bytes


class UploadShare:
    """What one upload holds of the room."""

    def __init__(self, room: UploadRoom) -> None:
        self._room, self.held_bytes = room, 0

    def take(self, length: int) -> None:
        """Hold so many bytes more. Raises UploadError 503 when all uploads together hold too much."""
        if self._room.held_bytes + length > self._room.most_bytes:
            raise UploadError(503, "too many large pictures are on their way; try again in a moment")
        self._room.held_bytes += length
        self.held_bytes += length


async def read_picture(request: Any, max_bytes: int, share: UploadShare) -> bytes:
    """The bytes of the picture in a Starlette request.

    Raises UploadError: 400 for an empty body or a broken form, 408 when it comes too slowly, 413 over max_bytes, 503 when
    all uploads together hold too much.
    """
    try:
        body = await asyncio.wait_for(_read_body(request, max_bytes, share), BODY_TIMEOUT_S)
    except asyncio.TimeoutError as error:  # another class than TimeoutError on Python 3.10
        raise UploadError(408, f"the body did not come within {BODY_TIMEOUT_S:.0f} s") from error
    kind = _content_type(request)
    if kind.get_content_type() == "multipart/form-data":
        body = _first_file(body, str(kind.get_param("boundary", "")))
    if not body:
        raise UploadError(400, "the body is empty; send the bytes of a picture")
    return body


async def _read_body(request: Any, max_bytes: int, share: UploadShare) -> bytes:
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > max_bytes:
            raise UploadError(413, f"the body may have at most {max_bytes} bytes")
        share.take(len(part))
        parts.append(part)
    return b"".join(parts)


def _content_type(request: Any) -> Message:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "application/octet-stream")
    return message


def _first_file(body: bytes, boundary: str) -> bytes:
    """Content of the first part that is a file, else of the first part."""
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser

    collector = _Collector()
    try:
        parser = MultipartParser(boundary.encode("latin-1", "replace"), collector.callbacks())
        parser.write(body)
        parser.finalize()
    except (MultipartParseError, ValueError) as error:
        raise UploadError(400, f"the form cannot be read ({error}); send the picture's bytes as the body") from error
    return collector.chosen()


class _Collector:
    """Gathers the parts of a form in memory, nothing on disk."""

    def __init__(self) -> None:
        self._parts: list[tuple[bytearray, bytearray]] = []

    def callbacks(self) -> Any:
        return {
            "on_part_begin": lambda: self._parts.append((bytearray(), bytearray())),
            "on_header_value": lambda data, start, end: self._parts[-1][0].extend(data[start:end]),
            "on_part_data": lambda data, start, end: self._parts[-1][1].extend(data[start:end]),
        }

    def chosen(self) -> bytes:
        files = [content for header, content in self._parts if b"filename" in header]
        return bytes(next(iter(files or [content for _, content in self._parts]), b""))
