"""The application: the page, and the reader behind the HTTP API. No path of a request reaches the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from edge_digits._version import __version__
from edge_digits.errors import CameraError, EdgeDigitsError, UsageError
from edge_digits.reader import Reader
from edge_digits.reading.reading import Box
from edge_digits.web.answers import as_error, as_json, load_starlette, status_of
from edge_digits.web.device_camera import DeviceCamera
from edge_digits.web.guard import App, Guard, GuardOptions
from edge_digits.web.hands import Hands
from edge_digits.web.judging import judge_tile, read_page
from edge_digits.web.openapi import describe
from edge_digits.web.static_files import StaticFile, load_static_files
from edge_digits.web.upload import UploadRoom, read_picture

AT_ONCE: Final = 2
"""Pictures that are judged at the same time; each already uses several threads."""
MOST_WAITING: Final = 128
LOOK_S: Final = 2.0
"""Longest wait for a new picture of the device's camera; who got none asks again."""
LOOK_PAUSE_S: Final = 0.03


def make_app(reader: Reader, options: GuardOptions | None = None, camera: DeviceCamera | None = None, hands: Hands | None = None) -> App:
    """The guarded ASGI application around one reader.

    camera : of this machine, None shows none. hands : what learns, by default into the user's own folder.
    Raises MissingExtraError.
    """
    starlette = load_starlette()
    files = load_static_files()
    options = replace(options or GuardOptions(), open_paths=tuple(files))
    hands = hands or Hands(reader)
    desk = _Desk(reader, options, camera, hands, starlette)
    route = starlette.routing.Route
    routes = [
        route("/read", desk.read, methods=["POST"]),
        route("/tile", desk.tile, methods=["POST"]),
        route("/camera", desk.look, methods=["GET"]),
        route("/hands", desk.hands, methods=["GET"]),
        route("/hands", desk.remove, methods=["DELETE"]),
        route("/rollback", desk.roll_back, methods=["POST"]),
        route("/samples", desk.samples, methods=["GET"]),
        route("/samples", desk.store, methods=["POST"]),
        route("/samples", desk.undo, methods=["DELETE"]),
        route("/corrections", desk.correct, methods=["POST"]),
        route("/adapt", desk.adapt, methods=["POST"]),
        route("/health", desk.health, methods=["GET"]),
        route("/openapi.json", desk.openapi, methods=["GET"]),
        *(route(path, _constant(starlette, file), methods=["GET"]) for path, file in files.items()),
    ]
    handlers = {starlette.exceptions.HTTPException: desk.answer_http, Exception: desk.answer_unexpected}
    return Guard(starlette.applications.Starlette(routes=routes, exception_handlers=handlers), options)


def _constant(starlette: Any, file: StaticFile) -> Callable[[Any], Any]:
    """An endpoint that always gives one file."""

    async def give(request: Any) -> Any:
        del request
        return starlette.responses.Response(file.content, media_type=file.kind)

    return give


class _Desk:
    """The endpoints. They take a picture, wait for a free place, and answer in JSON."""

    def __init__(self, reader: Reader, options: GuardOptions, camera: DeviceCamera | None, hands: Hands, starlette: Any) -> None:
        self._reader, self._options, self._camera, self._hands, self._starlette = reader, options, camera, hands, starlette
        self._places = asyncio.Semaphore(AT_ONCE)
        self._room = UploadRoom()
        self._waiting = 0

    async def read(self, request: Any) -> Any:
        given = request.query_params
        model, with_picture = given.get("model", ""), given.get("picture") == "1"
        return await self._judge(request, lambda data: read_page(self._hands.reader(model), data, with_picture=with_picture))

    async def tile(self, request: Any) -> Any:
        model = request.query_params.get("model", "")
        return await self._judge(request, lambda data: judge_tile(self._hands.reader(model), data))

    async def hands(self, request: Any) -> Any:
        del request
        return await self._work(lambda: {"hands": self._hands.listed()})

    async def remove(self, request: Any) -> Any:
        return await self._list_after(self._hands.remove, request)

    async def roll_back(self, request: Any) -> Any:
        return await self._list_after(self._hands.roll_back, request)

    async def samples(self, request: Any) -> Any:
        return await self._work(lambda: self._hands.samples(_hand(request)))

    async def store(self, request: Any) -> Any:
        given = request.query_params
        work = self._hands.store
        return await self._judge(request, lambda data: work(_hand(request), _digit(given, "digit"), given.get("split", "train"), data), 201)

    async def undo(self, request: Any) -> Any:
        return await self._work(lambda: self._hands.undo(_hand(request)))

    async def correct(self, request: Any) -> Any:
        given = request.query_params
        work = self._hands.correct

        def store(data: bytes) -> dict[str, Any]:
            read = _digit(given, "read") if "read" in given else None
            return work(_hand(request), _digit(given, "digit"), read, _box(given), data)

        return await self._judge(request, store, 201)

    async def adapt(self, request: Any) -> Any:
        return await self._work(lambda: self._hands.adapt(_hand(request)))

    async def look(self, request: Any) -> Any:
        """The newest picture of the device's camera after the one that the caller has."""
        after = request.query_params.get("after", "0")
        after = int(after[:12]) if after.isascii() and after.isdigit() else 0
        deadline = monotonic() + LOOK_S
        try:
            if self._camera is None:
                raise CameraError("this server shows no camera; start it with --camera 0")
            while True:
                seen = self._camera.look()
                if seen is not None and seen.number != after:
                    return as_json(self._starlette, seen.reading)
                if monotonic() > deadline:
                    return self._starlette.responses.Response(status_code=204)
                await asyncio.sleep(LOOK_PAUSE_S)
        except EdgeDigitsError as error:
            return self._failed(error)

    async def health(self, request: Any) -> Any:
        del request
        classifier = self._reader.classifier
        model = {"name": classifier.name, "sha256": classifier.sha256, "precision": classifier.precision}
        camera = None if self._camera is None else self._camera.source
        learns = "features" in classifier.engine.outputs
        state = {"status": "ok", "version": __version__, "model": model, "provider": classifier.provider}
        return as_json(self._starlette, {**state, "camera": camera, "learns": learns})

    async def openapi(self, request: Any) -> Any:
        del request
        return as_json(self._starlette, describe(self._options.max_upload_bytes))

    async def answer_http(self, request: Any, error: Any) -> Any:
        """404 and 405 of the router, as JSON."""
        del request
        return as_error(self._starlette, error.status_code, "HTTPError", str(error.detail))

    async def answer_unexpected(self, request: Any, error: Exception) -> Any:
        """A fault of ours: the client learns that it is one, the log of the server what it is."""
        del request, error
        return as_error(self._starlette, 500, "InternalError", "the server failed on this request; its log says why")

    async def _judge(self, request: Any, work: Callable[[bytes], dict[str, Any]], status: int = 200) -> Any:
        if self._waiting >= MOST_WAITING:
            return as_error(self._starlette, 503, "Busy", "too many pictures are waiting; try again in a moment")
        self._waiting += 1
        try:
            with self._room.share() as share:
                data = await read_picture(request, self._options.max_upload_bytes, share)
                async with self._places:
                    return as_json(self._starlette, await self._starlette.concurrency.run_in_threadpool(work, data), status)
        except EdgeDigitsError as error:
            return self._failed(error)
        except self._starlette.requests.ClientDisconnect:
            return self._starlette.responses.Response(status_code=400)
        finally:
            self._waiting -= 1

    async def _work(self, work: Callable[[], dict[str, Any]]) -> Any:
        """What takes no picture, but a place among those who compute."""
        try:
            async with self._places:
                return as_json(self._starlette, await self._starlette.concurrency.run_in_threadpool(work))
        except EdgeDigitsError as error:
            return self._failed(error)

    async def _list_after(self, change: Callable[[str], None], request: Any) -> Any:
        """Do something to the hand that is asked for, and answer what there is then."""

        def work() -> dict[str, Any]:
            change(_hand(request))
            return {"hands": self._hands.listed()}

        return await self._work(work)

    def _failed(self, error: EdgeDigitsError) -> Any:
        return as_error(self._starlette, status_of(error), type(error).__name__, str(error).replace("bytes: ", "upload: ", 1))


def _hand(request: Any) -> str:
    return str(request.query_params.get("hand", ""))


def _digit(given: Any, name: str) -> int:
    text = given.get(name, "")
    if len(text) != 1 or text not in "0123456789":
        raise UsageError(f"{name} is '{text[:20]}'; give one digit, 0 to 9")
    return int(text)


def _box(given: Any) -> Box:
    parts = given.get("box", "").split(",")
    if len(parts) != 4 or not all(len(part) < 7 and part.isascii() and part.isdigit() for part in parts):
        raise UsageError("box tells where the digit is in the picture; give x,y,width,height in pixels")
    x, y, width, height = (int(part) for part in parts)
    return x, y, width, height
