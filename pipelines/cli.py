"""The `winnow` command: run the pipeline, see what came out, promote, roll back, predict."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from components.core.environment import prepare
from pipelines.commands import answering, choosing, ledger, models, pages, running
from pipelines.commands.help_page import Grouped
from pipelines.ending import end_with

app = typer.Typer(
    help="From unlabeled data and a few hundred labels to a promoted model that can be rebuilt on demand.",
    no_args_is_help=True,
    cls=Grouped,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (running, models, answering, choosing, ledger, pages):  # the order of `winnow --help`
    app.add_typer(part.app)


def main() -> None:
    """Entry point: whatever goes wrong comes out as one sentence; `--debug` shows the traceback."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    name = next((word for word in arguments if word.isalpha()), "winnow")

    def work() -> None:
        prepare()
        app(arguments, prog_name="winnow")

    end_with(work, name=name, debug="--debug" in sys.argv)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"winnow {version('winnow')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which Winnow this is.")
    ] = False,
) -> None:
    """Winnow: label-efficient learning as tracked stages."""


if __name__ == "__main__":
    main()
