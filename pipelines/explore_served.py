"""`winnow explore --serve`: the map on a page that can ask about what is selected, and show samples whole."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from components.core.config import Config
from components.core.errors import WinnowError
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from pipelines.explore import page_of_all
from pipelines.labeling.chosen import choose
from pipelines.labeling.places import SAMPLES
from pipelines.labeling.project import Project, open_project
from pipelines.labeling.secret_word import secret_word
from pipelines.local_server import HOST, answer, listening
from pipelines.loopback_only import App
from pipelines.spoken import HEADERS, spoken

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TOKEN = Path(".winnow/explore_token")
MOST = 4 * 2**20  # bytes of what a page says: the ids of all that can be selected


class Selected(Config):
    """Ids of samples."""

    ids: list[str] = Field(max_length=200_000)


class One(Config):
    """A sample's id."""

    id: str


def serve_map(port: int) -> None:
    """Show the map until stopped, which raises KeyboardInterrupt; standard output names the page.

    Raises WinnowError as `page_of_all` and `open_project` do.
    """
    print("Drawing the map ...", flush=True)
    project, page, word = open_project(), page_of_all(served=True), secret_word(TOKEN)
    with listening(port) as door:
        print(f"The map is on http://{HOST}:{door.getsockname()[1]}/{word}/ (Ctrl-C ends it)", flush=True)
        answer(map_application(project, page, word), door)


def map_application(project: Project, page: str, word: str) -> App:
    """The ASGI application under `/word/`. What a person did wrong is answered with 409 and `{"error": ...}`."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Mount, Route

    store = open_samples(SAMPLES)
    modality, row = build_modality(store.about.modality), {one: row for row, one in enumerate(project.samples["id"])}

    def ask(said: Selected) -> dict[str, Any]:
        return {"said": choose(project, said.ids)}

    def whole(said: One) -> dict[str, Any]:
        if said.id not in row:
            raise WinnowError("there is no such sample: load the page anew.")
        return {"shown": modality.show_whole(store.record(row[said.id]), caption="All of it")}

    async def opened(_: "Request") -> "Response":
        return HTMLResponse(page, headers=HEADERS)

    told = [
        Route(f"/{does.__name__}", _answering(does, kind), methods=["POST"])
        for does, kind in ((ask, Selected), (whole, One))
    ]
    return Starlette(routes=[Mount(f"/{word}", routes=[Route("/", opened), *told])])


def _answering(
    does: Callable[[Any], dict[str, Any]], kind: type[Config]
) -> Callable[["Request"], Awaitable["Response"]]:
    async def told(request: "Request") -> "Response":
        from starlette.responses import JSONResponse

        try:
            return JSONResponse(does(await spoken(request, kind, MOST)), headers=HEADERS)
        except WinnowError as error:
            return JSONResponse({"error": str(error)}, 409, HEADERS)

    return told
