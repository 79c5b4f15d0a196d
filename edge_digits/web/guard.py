"""Stands before every request: who may ask, from which page, how much; and what browsers are told about each answer.

A page on this machine can be reached by any site that the same browser shows. Three things keep those out: the Host
header must be ours (DNS rebinding), a request for more than the page must come from our own page (cross-site requests),
and anybody who is not on this machine must know the token. Whoever asks too often waits. Plain ASGI, so that it needs
no framework.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from edge_digits.errors import UsageError
from edge_digits.web.rates import RateLimit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
SHORTEST_TOKEN: Final = 16
DISCARD_TIMEOUT_S: Final = 5.0
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
OWN_PAGE: Final = ("same-origin", "none")
WRONG_TOKEN_COST: Final = 20.0
"""Permits that a wrong token takes of its address: guessing gets slow soon."""

CONTENT_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """Who may ask, and how much.

    host : the address that is listened on. token : what callers must know, "" for none, then host must be loopback.
    max_upload_bytes : largest body of a request, > 0. requests_per_s : of one address in the long run, > 0.
    open_paths : given without the token: the page itself, which tells nothing, so that it can fetch its parts.
    """

    host: str = "127.0.0.1"
    token: str = ""
    max_upload_bytes: int = 25_000_000
    requests_per_s: float = 100.0
    open_paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.token:
            raise UsageError(f"host is '{self.host}', which others can reach; set a --token, or leave --host out")
        if self.token and (len(self.token) < SHORTEST_TOKEN or not self.token.isascii() or not self.token.isprintable()):
            raise UsageError(f"token is too short or has odd characters; give at least {SHORTEST_TOKEN} ASCII characters")
        if self.max_upload_bytes < 1:
            raise UsageError(f"max-upload-mb gives {self.max_upload_bytes} bytes; give a number above 0")
        if not 0 < self.requests_per_s < math.inf:
            raise UsageError(f"requests-per-s is {self.requests_per_s:g}; give a number above 0")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in. status : of HTTP. kind : a word for programs. message : for people.

    wait_s : after how many seconds it may be tried again, where that helps.
    """

    status: int
    kind: str
    message: str
    wait_s: int = 0


class Guard:
    """ASGI middleware that refuses before the application sees anything."""

    def __init__(self, app: App, options: GuardOptions) -> None:
        self._app, self._options = app, options
        self._rate = RateLimit(options.requests_per_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with security headers on the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS]
            await send(message)

        refusal = self._too_often(scope) or refuse(scope, self._options)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
            return
        if refusal.status == 401:
            self._rate.take(_caller(scope), WRONG_TOKEN_COST - 1.0)
        await _discard(receive, 2 * self._options.max_upload_bytes)
        await _answer(refusal, send_guarded)

    def _too_often(self, scope: Scope) -> Refusal | None:
        wait_s = self._rate.take(_caller(scope))
        if wait_s == 0.0:
            return None
        return Refusal(429, "TooManyRequests", f"at most {self._options.requests_per_s:g} requests a second", math.ceil(wait_s))


def _caller(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def refuse(scope: Scope, options: GuardOptions) -> Refusal | None:
    """Why this request must not be let in; None when it may."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return (
        _foreign_host(headers, options)
        or _foreign_page(headers, scope, options)
        or _wrong_token(headers, scope, options)
        or _too_large(headers, options)
    )


def _foreign_host(headers: dict[str, str], options: GuardOptions) -> Refusal | None:
    # With a token the names by which others reach this machine are not known, nor needed: a rebound page lacks the token.
    if options.token or _host_name(headers.get("host", "")) in (*LOOPBACK, options.host):
        return None
    return Refusal(403, "ForeignHost", "this server answers to its own address only")


def _foreign_page(headers: dict[str, str], scope: Scope, options: GuardOptions) -> Refusal | None:
    # The page may be linked to from anywhere; nothing else may be asked for, not even by an <img>, which could start a camera.
    if scope["method"] in SAFE_METHODS and scope["path"] in options.open_paths:
        return None
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if (site is None or site in OWN_PAGE) and (origin is None or _is_own_origin(origin, headers.get("host", ""))):
        return None
    return Refusal(403, "CrossSite", "requests from pages of other sites are refused")


def _wrong_token(headers: dict[str, str], scope: Scope, options: GuardOptions) -> Refusal | None:
    if not options.token or (scope["path"] in options.open_paths and scope["method"] in SAFE_METHODS):
        return None
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
    if hmac.compare_digest(given.strip().encode("utf-8"), options.token.encode("utf-8")):
        return None
    return Refusal(401, "WrongToken", "give the server's token: header 'Authorization: Bearer TOKEN', or ?token=TOKEN")


def _too_large(headers: dict[str, str], options: GuardOptions) -> Refusal | None:
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length[:20]) <= options.max_upload_bytes:
        return None
    return Refusal(413, "UploadTooLarge", f"the body may have at most {options.max_upload_bytes} bytes")


def _is_own_origin(origin: str, host: str) -> bool:
    # Behind a proxy that ends TLS the scheme differs, the host and port do not.
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != ""


def _host_name(host: str) -> str:
    """Host header without the port; IPv6 without its brackets."""
    name = host.lower()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]


async def _discard(receive: Receive, most_bytes: int) -> None:
    """Let an honest sender finish, within limits: closing on one who still sends loses the answer on its way."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(_drain(receive, most_bytes), DISCARD_TIMEOUT_S)


async def _drain(receive: Receive, most_bytes: int) -> None:
    length = 0
    while length <= most_bytes:
        message = await receive()
        length += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _answer(refusal: Refusal, send: Send) -> None:
    body = json.dumps({"error": {"type": refusal.kind, "message": refusal.message}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.wait_s:
        headers.append((b"retry-after", str(refusal.wait_s).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
