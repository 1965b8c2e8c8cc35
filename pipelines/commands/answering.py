"""Commands for people who answer for a model: how versions differ, where one came from, that it can be made again."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from components.core.errors import WinnowError
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


@command(
    epilog=examples(
        "winnow lineage champion",
        "winnow lineage data/raw/cats/7.jpg",
        "winnow lineage --annotator ada --round 2 --json",
    )
)
def lineage(
    what: Annotated[
        str, typer.Argument(metavar="VERSION|SAMPLE", help="A number, an alias, a sample's id or path.")
    ] = "",
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Versions that learned from this person.")] = "",
    number: Annotated[int | None, typer.Option("--round", help="Of that person's labels those of one round.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value.")] = False,
    events: Annotated[
        Path | None, typer.Option("--openlineage", metavar="FILE", help="Of a version: its stages' runs as events.")
    ] = None,
) -> None:
    """Say where a version came from, or which versions learned from a sample or from somebody's labels."""
    from pipelines.answering.ask import answer

    if events is not None:
        if annotator or number is not None or as_json:
            raise WinnowError("--openlineage is of a version alone: leave --annotator, --round and --json out.")
        from pipelines.answering.openlineage import write_events

        print(write_events(what, events))
        return
    print(answer(what, annotator, number, as_json=as_json))


@command(epilog=examples("winnow rebuild champion", "winnow rebuild 2 --with-changes"))
def rebuild(
    version: Annotated[str, typer.Argument(help="A version's number or alias.")] = "champion",
    with_changes: Annotated[
        bool, typer.Option("--with-changes", help="Run what its run kept of files that differ from the commit.")
    ] = False,
) -> None:
    """Make a version again from its commit and inputs, and say whether every byte is the same, stage by stage."""
    from pipelines.answering.rebuild import rebuild as make_again

    sys.exit(0 if make_again(version, with_changes=with_changes) else 1)
