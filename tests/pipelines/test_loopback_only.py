"""No other web page is answered by a server of ours: by name, by origin, by what the browser says; programs are."""

import asyncio
from typing import Any

import pytest

from pipelines.loopback_only import LoopbackOnly

HOST = "127.0.0.1:4200"


def _status(method: str = "GET", kind: str = "http", **headers: str) -> int:
    """What a connection with these headers is answered; 101 for a websocket that is let through."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        accepted = {"type": "websocket.accept", "status": 101}
        await send(accepted if kind == "websocket" else {"type": "http.response.start", "status": 200})

    async def receive() -> Any:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "headers": pairs}
    asyncio.run(LoopbackOnly(app, 4200)(scope, receive, send))
    return int(sent[0].get("status", 403 if sent[0]["type"] == "websocket.close" else 0))


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", [HOST, "localhost:4200", "LOCALHOST:4200", "[::1]:4200"])
def test_programs_and_own_pages_are_answered_by_every_loopback_name(kind: str, host: str) -> None:
    well = 101 if kind == "websocket" else 200
    assert _status(kind=kind, host=host) == well
    assert _status(kind=kind, host=host, origin=f"http://{host.lower()}", sec_fetch_site="same-origin") == well
    assert _status(kind=kind, host=host, sec_fetch_site="none") == well


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:4200", "127.0.0.1", "127.0.0.1:80", "0.0.0.0:4200", ""])
def test_another_host_is_refused(kind: str, host: str) -> None:
    assert _status(kind=kind, host=host) == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "foreign",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:4200"},
        {"origin": "http://localhost:3000"},
        {"origin": f"http://{HOST}.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    ],
)
def test_another_page_is_refused(kind: str, method: str, foreign: dict[str, str]) -> None:
    assert _status(method, kind, host=HOST, **foreign) == 403


def test_without_a_host_nobody_is_answered() -> None:
    assert _status() == 403


def test_a_link_from_elsewhere_opens_the_page_and_does_no_more() -> None:
    followed = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert _status(host=HOST, **followed) == 200
    assert _status("POST", host=HOST, **followed) == 403
