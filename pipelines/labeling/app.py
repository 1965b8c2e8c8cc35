"""The labeling page's server: the page, and the few things it asks, behind an address that nobody can guess."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from components.core.errors import WinnowError
from components.modalities import Modality
from components.pages.label import ASKED, render
from pipelines.labeling.desk import Answer, Asked, Desk, Seat
from pipelines.loopback_only import App
from pipelines.spoken import HEADERS, spoken

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST = 10_000  # bytes of what a page says
POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; connect-src 'self'; "
Endpoint = Callable[["Request"], Awaitable["Response"]]
Record = Callable[[str], npt.NDArray[Any]]


class About(Seat):
    """What a page says of one sample."""

    id: str


def application(desk: Desk, page: Mapping[str, Any], modality: Modality, record: Record, token: str) -> App:
    """The ASGI application under `/token/`. page: what `render` is told; record: a sample's, by its id.

    What a person did wrong is answered with 409 and one sentence, `{"error": ...}`.
    """
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Mount, Route

    def ask(said: Seat) -> dict[str, Any]:
        return _shown(desk.ask(_seat(said)), modality, record)

    def answer(said: Answer) -> dict[str, Any]:
        desk.answer(said)
        return ask(said)

    def skip(said: About) -> dict[str, Any]:
        desk.skip(said, said.id)
        return ask(said)

    def undo(said: About) -> dict[str, Any]:
        desk.undo(said, said.id)
        return _shown(desk.ask(_seat(said), first=said.id), modality, record)

    def whole(said: About) -> dict[str, Any]:
        return {"shown": modality.show_whole(record(said.id), caption=ASKED)}

    async def opened(_: "Request") -> "Response":
        text, nonce = render(**page)
        policy = {"Content-Security-Policy": f"{POLICY}script-src 'nonce-{nonce}'"}
        return HTMLResponse(text, headers={**HEADERS, **policy})

    does: dict[Callable[[Any], dict[str, Any]], type[Seat]] = {ask: Seat, answer: Answer}
    does |= dict.fromkeys((skip, undo, whole), About)
    told = [Route(f"/{one.__name__}", _answering(one, kind), methods=["POST"]) for one, kind in does.items()]
    return Starlette(routes=[Mount(f"/{token}", routes=[Route("/", opened), *told])])


def _answering(does: Callable[[Any], dict[str, Any]], kind: type[Seat]) -> "Endpoint":
    """An endpoint that does it with what the page says, one after the other."""

    async def answer(request: "Request") -> "Response":
        from starlette.responses import JSONResponse

        try:
            return JSONResponse(does(await spoken(request, kind, MOST)), headers=HEADERS)
        except WinnowError as error:
            return JSONResponse({"error": str(error)}, 409, HEADERS)

    return answer


def _shown(asked: Asked, modality: Modality, record: Record) -> dict[str, Any]:
    facts = {"done": asked.done, "open": asked.open, "held": asked.held, "last": asked.last, "again": asked.again}
    if asked.question is None:
        return {"id": "", "shown": "", **facts}
    return {"id": asked.question.id, "shown": modality.show(record(asked.question.id), caption=ASKED), **facts}


def _seat(said: Seat) -> Seat:
    return Seat(who=said.who, tab=said.tab)
