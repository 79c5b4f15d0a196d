"""The application: the page, and the reader behind POST /read and POST /tile. No path of a request reaches the disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from typing import Any, Final

from edge_digits._version import __version__
from edge_digits.errors import EdgeDigitsError, InputDecodeError, InputError, InputTooLargeError, MissingExtraError
from edge_digits.paper.single import find_single_glyph
from edge_digits.paper.tiles import make_tiles
from edge_digits.reader import Reader
from edge_digits.recognition.weights import LABELS, NOT_ONE_DIGIT
from edge_digits.sources.images import open_frames
from edge_digits.web.guard import App, Guard, GuardOptions
from edge_digits.web.openapi import describe
from edge_digits.web.upload import UploadError, read_picture

INSTALL_COMMAND: Final = 'pip install "edge-digits[web]"'
PAGE: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
AT_ONCE: Final = 2
"""Pictures that are judged at the same time; each already uses several threads."""
MOST_WAITING: Final = 16


def load_starlette() -> Any:
    """The starlette package with what is used here. Raises MissingExtraError with the install command."""
    try:
        import python_multipart  # noqa: F401 - upload.py needs it, and it must be missed now, not at the first upload
        import starlette.applications
        import starlette.concurrency
        import starlette.exceptions
        import starlette.requests
        import starlette.responses
        import starlette.routing
    except ImportError as error:
        raise MissingExtraError(f"the web page needs an extra ({error}); run: {INSTALL_COMMAND}") from error
    return starlette


def make_app(reader: Reader, options: GuardOptions | None = None) -> App:
    """The guarded ASGI application around one reader. Raises MissingExtraError."""
    starlette = load_starlette()
    options = options or GuardOptions()
    desk = _Desk(reader, options, starlette)
    route = starlette.routing.Route
    routes = [
        route("/read", desk.read, methods=["POST"]),
        route("/tile", desk.tile, methods=["POST"]),
        route("/health", desk.health, methods=["GET"]),
        route("/openapi.json", desk.openapi, methods=["GET"]),
        *(route(path, _constant(starlette, *file), methods=["GET"]) for path, file in PAGE.items()),
    ]
    handlers = {starlette.exceptions.HTTPException: desk.answer_http, Exception: desk.answer_unexpected}
    return Guard(starlette.applications.Starlette(routes=routes, exception_handlers=handlers), options)


def _constant(starlette: Any, name: str, kind: str) -> Callable[[Any], Any]:
    """An endpoint that always gives one packaged file, read now."""
    content = resources.files("edge_digits.web").joinpath("static", name).read_bytes()

    async def give(request: Any) -> Any:
        del request
        return starlette.responses.Response(content, media_type=kind)

    return give


class _Desk:
    """The endpoints. They take a picture, wait for a free place, and answer in JSON."""

    def __init__(self, reader: Reader, options: GuardOptions, starlette: Any) -> None:
        self._reader, self._options, self._starlette = reader, options, starlette
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def read(self, request: Any) -> Any:
        return await self._judge(request, lambda data: read_page(self._reader, data))

    async def tile(self, request: Any) -> Any:
        return await self._judge(request, lambda data: judge_tile(self._reader, data))

    async def health(self, request: Any) -> Any:
        del request
        classifier = self._reader.classifier
        model = {"name": classifier.name, "sha256": classifier.sha256, "precision": classifier.precision}
        return self._json({"status": "ok", "version": __version__, "model": model, "provider": classifier.provider})

    async def openapi(self, request: Any) -> Any:
        del request
        return self._json(describe(self._options.max_upload_bytes))

    async def answer_http(self, request: Any, error: Any) -> Any:
        """404 and 405 of the router, as JSON."""
        del request
        return self._error(error.status_code, "HTTPError", str(error.detail))

    async def answer_unexpected(self, request: Any, error: Exception) -> Any:
        """A fault of ours: the client learns that it is one, the log of the server what it is."""
        del request, error
        return self._error(500, "InternalError", "the server failed on this request; its log says why")

    async def _judge(self, request: Any, work: Callable[[bytes], dict[str, Any]]) -> Any:
        if self._waiting >= MOST_WAITING:
            return self._error(503, "Busy", "too many pictures are waiting; try again in a moment")
        self._waiting += 1
        try:
            data = await read_picture(request, self._options.max_upload_bytes)
            async with self._places:
                return self._json(await self._starlette.concurrency.run_in_threadpool(work, data))
        except EdgeDigitsError as error:
            return self._error(_status(error), type(error).__name__, str(error).replace("bytes: ", "upload: ", 1))
        except self._starlette.requests.ClientDisconnect:
            return self._starlette.responses.Response(status_code=400)
        finally:
            self._waiting -= 1

    def _json(self, value: Any, status: int = 200) -> Any:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        return self._starlette.responses.Response(text, status, media_type="application/json")

    def _error(self, status: int, kind: str, message: str) -> Any:
        return self._json({"error": {"type": kind, "message": message}}, status)


def _status(error: EdgeDigitsError) -> int:
    if isinstance(error, UploadError):
        return error.status
    if isinstance(error, InputTooLargeError):
        return 413
    return 415 if isinstance(error, InputError) else 500


def read_page(reader: Reader, data: bytes) -> dict[str, Any]:
    """The JSON object of `edge-digits read` for the bytes of a picture. Raises InputError."""
    return replace(reader.read(data), source="upload").to_dict()


def judge_tile(reader: Reader, data: bytes) -> dict[str, Any]:
    """What the model says of a picture that holds one digit; "digit" is None when it is unsure or sees none.

    Raises InputError.
    """
    frame = next(open_frames(data, reader.options.source), None)
    if frame is None:
        raise InputDecodeError("upload: holds no page")
    glyph = find_single_glyph(frame.picture)
    if not glyph.any():
        return {"ink": False, "digit": None, "confidence": 0.0, "probabilities": [0.0] * len(LABELS), "labels": list(LABELS)}
    probabilities = reader.classifier.predict(make_tiles([glyph])).probabilities[0]
    digit = int(probabilities[:NOT_ONE_DIGIT].argmax())
    confidence = float(probabilities[digit])
    return {
        "ink": True,
        "digit": digit if confidence >= reader.min_confidence else None,
        "confidence": round(confidence, 4),
        "probabilities": [round(float(p), 4) for p in probabilities],
        "labels": list(LABELS),
    }
