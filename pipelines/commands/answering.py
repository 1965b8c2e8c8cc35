"""Commands for people who answer for a model: how two versions differ."""

from functools import partial
from typing import Annotated

import typer

from pipelines.commands.help_page import examples

app = typer.Typer()
command = partial(app.command, rich_help_panel="The model")


@command(epilog=examples("winnow diff 1 2", "winnow diff champion challenger"))
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A version's number or alias.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The version to look at beside it.")],
) -> None:
    """Show what version B wins over A and what it loses, on the same test samples, as a page."""
    from pipelines.answering.diff import show_difference

    show_difference(first, second)
