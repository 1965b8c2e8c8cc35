"""Keeps other web pages away from a server on this machine: it answers loopback names, and its own pages alone."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost", "[::1]")
OWN = {b"same-origin", b"none"}  # what a browser says of a page of ours, and of an address that a person typed
OPENED = {b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}  # a link followed: nobody reads the answer


class LoopbackOnly:
    """An ASGI application that lets through to `app` only what programs and its own pages on this machine ask.

    Refused with 403, websockets included: a `Host` that is no loopback name with this port (a foreign name that leads
    here, DNS rebinding), and what a browser sends for a page of another origin, be it a port of this machine. Programs
    send neither `Origin` nor `Sec-Fetch-Site`, and following a link from elsewhere only opens the page.
    """

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        hosts = {name for own in NAMES for name in ([own, f"{own}:80"] if port == 80 else [f"{own}:{port}"])}
        self._hosts = {host.encode() for host in hosts}
        self._origins = {b"http://" + host for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan" or self._is_own(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
        else:
            await _refuse(send)

    def _is_own(self, scope: Scope) -> bool:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if [value.lower() for value in _all(headers, b"host")] not in [[host] for host in self._hosts]:
            return False
        if not set(_all(headers, b"origin")) <= self._origins:
            return False
        return set(_all(headers, b"sec-fetch-site")) <= OWN or _is_opened(scope, headers)


def _is_opened(scope: Scope, headers: list[tuple[bytes, bytes]]) -> bool:
    return scope.get("method") == "GET" and all(_all(headers, name) == [value] for name, value in OPENED.items())


def _all(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]


async def _refuse(send: Send) -> None:
    text = b"This server answers its own pages on this machine alone.\n"
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": text})
