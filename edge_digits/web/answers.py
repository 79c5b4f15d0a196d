"""Answers in JSON, and which HTTP status each error of edge_digits has."""

from __future__ import annotations

import json
from typing import Any, Final

from edge_digits.errors import (
    AdaptationRefusedError,
    CameraError,
    EdgeDigitsError,
    InputError,
    InputNotFoundError,
    InputTooLargeError,
    MissingExtraError,
    ModelNotFoundError,
    UsageError,
)
from edge_digits.web.upload import UploadError

INSTALL_COMMAND: Final = 'pip install "edge-digits[web]"'
STATUS: Final = (
    (InputTooLargeError, 413),
    (InputNotFoundError, 409),  # no samples yet
    (InputError, 415),
    (ModelNotFoundError, 404),
    (AdaptationRefusedError, 409),
    (CameraError, 503),
    (UsageError, 400),
)


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


def status_of(error: EdgeDigitsError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, UploadError):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def as_json(starlette: Any, value: Any, status: int = 200) -> Any:
    """A JSON response."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return starlette.responses.Response(text, status, media_type="application/json")


def as_error(starlette: Any, status: int, kind: str, message: str) -> Any:
    """An error as every endpoint tells it."""
    return as_json(starlette, {"error": {"type": kind, "message": message}}, status)
