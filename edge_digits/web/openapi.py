"""What the HTTP API takes and gives, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, Final

from edge_digits._version import __version__
from edge_digits.recognition.adapted import NAME_PATTERN

PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "application/octet-stream")
PROBABILITY: Final = {"type": "number", "minimum": 0, "maximum": 1}
BOX: Final = {
    "type": "array",
    "items": {"type": "integer"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x, y, width, height in pixels of the picture after EXIF rotation, origin top left",
}


FAILURES: Final = {
    "400": "empty body, broken form or wrong argument",
    "401": "wrong token",
    "403": "request of a foreign page or to a foreign host",
    "404": "no such adapted model, or no version of it before",
    "408": "body came too slowly",
    "409": "nothing to learn from, or learning would read worse",
    "413": "too many bytes or pixels",
    "415": "no picture that can be decoded",
    "429": "too many requests of this address",
    "503": "too many pictures are waiting, or no camera",
}
COMMON: Final = ("401", "403", "429", "503")
PICTURE: Final = ("400", "404", "408", "413", "415")


def describe(max_upload_bytes: int) -> dict[str, Any]:
    """The OpenAPI document."""
    taking = _picture_body(max_upload_bytes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "edge-digits", "version": __version__, "description": "Handwritten digits on paper in, numbers out."},
        "paths": _reading_paths(taking) | _hand_paths(taking),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "needed when the server has a token"}},
        },
        "security": [{}, {"token": []}],
    }


def _reading_paths(taking: dict[str, Any]) -> dict[str, Any]:
    model = _argument("model", {"type": "string"}, "name of an adapted model; without it the server's own reads")
    picture = _argument("picture", {"enum": ["1"]}, "add the page as a JPEG, for programs that cannot draw its format")
    after = _argument("after", {"type": "integer", "minimum": 0}, "number of the picture that is known; waits two seconds for another")
    page = "Read a photo or scan of a page (of a document, its first page)"
    return {
        "/read": {"post": _operation(page, "Reading", (model, picture), PICTURE, taking)},
        "/tile": {"post": _operation("Judge a picture of one digit, in any polarity", "Tile", (model,), PICTURE, taking)},
        "/camera": {
            "get": _operation("The newest picture of this machine's camera, read", "Reading", (after,))
            | {"description": "204: no new picture"}
        },
        "/health": {"get": _operation("Whether the server runs, its model, camera and whether it learns", "Health")},
    }


def _hand_paths(taking: dict[str, Any]) -> dict[str, Any]:
    digit = {"type": "integer", "minimum": 0, "maximum": 9}
    hand = _argument("hand", {"type": "string", "pattern": NAME_PATTERN.pattern}, "whose digits", required=True)
    label = _argument("digit", digit, "what it is", required=True)
    split = _argument("split", {"enum": ["train", "test"]}, "to learn from, or to measure with")
    read = _argument("read", digit, "what had been read; nothing for '?'")
    box = _argument("box", {"type": "string"}, "where the digit is in the picture: x,y,width,height in pixels", required=True)
    return {
        "/hands": {
            "get": _operation("Adapted models, and hands that are being learned", "Hands"),
            "delete": _operation("Delete an adapted model; its samples stay", "Hands", (hand,), ("400", "404")),
        },
        "/rollback": {
            "post": _operation(
                "Put the version of an adapted model back that the last adaptation replaced", "Hands", (hand,), ("400", "404")
            )
        },
        "/samples": {
            "get": _operation("What is stored of a hand, and what is asked for", "Samples", (hand,), ("400",)),
            "post": _operation("Store a drawing of one digit, and learn it", "Samples", (hand, label, split), PICTURE, taking, "201"),
            "delete": _operation("Take back what was stored last", "Samples", (hand,), ("400",)),
        },
        "/corrections": {
            "post": _operation("Store a digit cut out of a page, and learn it", "Samples", (hand, label, box, read), PICTURE, taking, "201")
        },
        "/adapt": {"post": _operation("Adapt the model to all samples of a hand, behind the guard", "Adapted", (hand,), ("400", "409"))},
    }


def _argument(name: str, schema: dict[str, Any], text: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": text}


def _picture_body(max_upload_bytes: int) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary", "maxLength": max_upload_bytes}}
    form = {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}
    return {"requestBody": {"required": True, "content": {**dict.fromkeys(PICTURE_TYPES, binary), "multipart/form-data": form}}}


def _operation(
    summary: str,
    answer: str,
    arguments: tuple[dict[str, Any], ...] = (),
    failures: tuple[str, ...] = (),
    body: dict[str, Any] | None = None,
    status: str = "200",
) -> dict[str, Any]:
    failed = {code: {**_json("Error"), "description": FAILURES[code]} for code in sorted({*failures, *COMMON})}
    return {"summary": summary, "parameters": list(arguments), "responses": {status: _json(answer), **failed}, **(body or {})}


def _json(schema: str) -> dict[str, Any]:
    return {"description": schema, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _schemas() -> dict[str, Any]:
    text, integer, nullable_digit = {"type": "string"}, {"type": "integer"}, {"type": ["integer", "null"], "minimum": 0, "maximum": 9}
    figures = {"type": "object", "description": "errors before and after, on own digits and on other hands"}
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
        "Health": _object(
            status=text, version=text, model=model, provider=text, camera={"type": ["string", "null"]}, learns={"type": "boolean"}
        ),
        "Hands": _object(hands=_list(_object(name=text, saved={"type": "boolean"}, former=integer, figures=figures))),
        "Samples": _object(
            hand=text,
            counts=_object(train=_list(integer), test=_list(integer)),
            prompts=_list(_object(digit=integer, split=text)),
        ),
        "Adapted": _object(name=text, created=text, figures=figures),
        "Error": _object(error=_object(type=text, message=text)),
    }
