"""What the HTTP API takes and gives, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, Final

from edge_digits._version import __version__

PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "application/octet-stream")
PROBABILITY: Final = {"type": "number", "minimum": 0, "maximum": 1}
BOX: Final = {
    "type": "array",
    "items": {"type": "integer"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x, y, width, height in pixels of the picture after EXIF rotation, origin top left",
}


def describe(max_upload_bytes: int) -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "edge-digits", "version": __version__, "description": "Handwritten digits on paper in, numbers out."},
        "paths": {
            "/read": {"post": _picture_in("Read a photo or scan of a page (of a document, its first page)", "Reading", max_upload_bytes)},
            "/tile": {"post": _picture_in("Judge a picture of one digit, in any polarity", "Tile", max_upload_bytes)},
            "/health": {"get": {"summary": "Whether the server runs, and its model", "responses": {"200": _json("Health")}}},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "needed when the server has a token"}},
        },
        "security": [{}, {"token": []}],
    }


def _picture_in(summary: str, answer: str, max_upload_bytes: int) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary", "maxLength": max_upload_bytes}}
    form = {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}
    failures = {
        "400": "empty body or broken form",
        "401": "wrong token",
        "403": "request of a foreign page or to a foreign host",
        "408": "body came too slowly",
        "413": "too many bytes or pixels",
        "415": "no picture that can be decoded",
        "503": "too many pictures are waiting",
    }
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {**dict.fromkeys(PICTURE_TYPES, binary), "multipart/form-data": form}},
        "responses": {"200": _json(answer), **{status: {**_json("Error"), "description": text} for status, text in failures.items()}},
    }


def _json(schema: str) -> dict[str, Any]:
    return {"description": schema, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _schemas() -> dict[str, Any]:
    text, integer, nullable_digit = {"type": "string"}, {"type": "integer"}, {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
    digit = _object(digit=nullable_digit, confidence=PROBABILITY, box=BOX)
    number = _object(text=text, value={"type": ["string", "null"]}, confidence=PROBABILITY, box=BOX, digits=_list(digit))
    model = _object(name=text, sha256=text, precision=text)
    return {
        "Reading": _object(
            source=text,
            page=integer,
            width=integer,
            height=integer,
            lines=_list(_object(text=text, box=BOX, numbers=_list(number))),
            model=model,
            provider=text,
            elapsed_ms={"type": "object", "additionalProperties": {"type": "number"}},
        ),
        "Tile": _object(
            ink={"type": "boolean"}, digit=nullable_digit, confidence=PROBABILITY, probabilities=_list(PROBABILITY), labels=_list(text)
        ),
        "Health": _object(status=text, version=text, model=model, provider=text),
        "Error": _object(error=_object(type=text, message=text)),
    }
