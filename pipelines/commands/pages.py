"""Commands that open pages: MLflow's on runs and models, Prefect's on flow runs, and a map of all samples."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.help_page import examples

app = typer.Typer()
command = partial(app.command, rich_help_panel="Pages")


@command(epilog=examples("winnow ui --port 5050"))
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 5000,
) -> None:
    """Open the MLflow pages on this project's store, on this machine only."""
    from pipelines.ui import serve

    serve(port)


@command(epilog=examples("winnow flows --port 4300"))
def flows(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 4200,
) -> None:
    """Open the Prefect pages on this project's flow runs, on this machine only."""
    from pipelines.flows.server import show

    show(port)


@command(epilog=examples("winnow explore", "winnow explore --out map.html", "winnow explore --serve"))
def explore(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where; data/explore/explore.html if not said.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show it on this machine, where a selection can become the next questions.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 5005,
) -> None:
    """Write a page with all samples as points on a map, to zoom, filter, select and turn into questions."""
    if serve:
        from pipelines.explore_served import serve_map

        serve_map(port)
    from pipelines.explore import explore

    print(explore(out))
