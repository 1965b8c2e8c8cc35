"""The labeling page's server: the page, and the few things it asks, behind an address that nobody can guess."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
from pydantic import ValidationError

from components.core.config import Config
from components.core.errors import WinnowError
from components.modalities import Modality
from components.pages.label import ASKED, render
from pipelines.labeling.desk import Answer, Asked, Desk, Seat
from pipelines.loopback_only import App

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST = 10_000  # bytes of what a page says
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; connect-src 'self'; "
Record = Callable[[str], npt.NDArray[Any]]
Said = dict[str, Any]


class _About(Seat):
    id: str = ""


def application(desk: Desk, page: Mapping[str, Any], modality: Modality, record: Record, token: str) -> App:
    """The ASGI application under `/token/`. page: what `render` is told; record: a sample's, by its id.

    What a person did wrong is answered with 409 and one sentence, `{"error": ...}`.
    """
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Mount, Route

    def told(asked: Asked) -> "Response":
        question = asked.question
        shown = modality.show(record(question.id), caption=ASKED) if question else ""
        facts = {"done": asked.done, "open": asked.open, "held": asked.held, "last": asked.last, "again": asked.again}
        return JSONResponse({"id": question.id if question else "", "shown": shown, **facts}, headers=HEADERS)

    def answering(kind: type[Seat], does: Callable[[Any], Asked]) -> Callable[["Request"], Awaitable["Response"]]:
        async def answer(request: "Request") -> "Response":
            try:
                return told(does(await _said(request, kind)))
            except WinnowError as error:
                return JSONResponse({"error": str(error)}, 409, HEADERS)

        return answer

    async def opened(_: "Request") -> "Response":
        text, nonce = render(**page)
        policy = {"Content-Security-Policy": f"{POLICY}script-src 'nonce-{nonce}'"}
        return HTMLResponse(text, headers={**HEADERS, **policy})

    async def whole(request: "Request") -> "Response":
        try:
            said = await _said(request, _About)
            return JSONResponse({"shown": modality.show_whole(record(said.id), caption=ASKED)}, headers=HEADERS)
        except WinnowError as error:
            return JSONResponse({"error": str(error)}, 409, HEADERS)

    routes = [
        Route("/", opened),
        Route("/ask", answering(Seat, desk.ask), methods=["POST"]),
        Route("/answer", answering(Answer, lambda said: _answered(desk, said)), methods=["POST"]),
        Route("/skip", answering(_About, lambda said: _skipped(desk, said)), methods=["POST"]),
        Route("/undo", answering(_About, lambda said: _undone(desk, said)), methods=["POST"]),
        Route("/whole", whole, methods=["POST"]),
    ]
    return Starlette(routes=[Mount(f"/{token}", routes=routes)])


def _answered(desk: Desk, said: Answer) -> Asked:
    desk.answer(said)
    return desk.ask(_seat(said))


def _skipped(desk: Desk, said: _About) -> Asked:
    desk.skip(said, said.id)
    return desk.ask(_seat(said))


def _undone(desk: Desk, said: _About) -> Asked:
    desk.undo(said, said.id)
    return desk.ask(_seat(said), first=said.id)


def _seat(said: Seat) -> Seat:
    return Seat(who=said.who, tab=said.tab)


async def _said(request: "Request", kind: type[Config]) -> Any:
    """What the page says. Raises WinnowError for what no page of ours says."""
    wrong = WinnowError("the server did not understand the page: load it anew.")
    if request.headers.get("content-type") != "application/json":
        raise wrong
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST:
            raise wrong
    try:
        return kind.model_validate(json.loads(content))
    except (ValueError, RecursionError, ValidationError):
        raise wrong from None
