"""The `winnow` command: run the pipeline, see what came out, promote, roll back, predict."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from components.core.environment import prepare
from components.core.errors import WinnowError

app = typer.Typer(
    help="From unlabeled data and a few hundred labels to a promoted model that can be rebuilt on demand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Entry point: what a user can mend comes out as one sentence, exit code 1; `--debug` shows the traceback."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    prepare()
    try:
        app(arguments, prog_name="winnow")
    except WinnowError as error:
        if debug:
            raise
        print(f"winnow: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if debug:
            raise
        print(f"winnow: {error.strerror} ({error.filename}): check the disk and its permissions.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("winnow: stopped.", file=sys.stderr)
        sys.exit(130)


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """Winnow: label-efficient learning as tracked stages."""


@app.command()
def repro(
    force: Annotated[bool, typer.Option("--force", help="Run every stage, changed or not.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Run STAGE and all after it, changed or not.")
    ] = None,
) -> None:
    """Run what is stale, track it, and print what came out."""
    from pipelines.repro import reproduce

    sys.exit(reproduce(force=force, start=start))


@app.command()
def summary() -> None:
    """Print what the last run came to: labels, accuracy, what shipped, the model's version, where to look."""
    from pipelines.summary import summarize

    print(summarize())


@app.command()
def promote(version: Annotated[str, typer.Argument(help="Number of the version to serve.")]) -> None:
    """Make VERSION the champion by hand."""
    if not version.isdecimal():
        raise WinnowError(f"VERSION is a number, not '{version}': `winnow summary` shows the last one.")
    from components.core import model_versions
    from pipelines.settings import model_name

    made = model_versions.promote(model_name(), int(version))
    print(f"{made.name} version {made.number} is the champion.")


@app.command()
def rollback() -> None:
    """Make the champion before this one the champion again."""
    from components.core import model_versions
    from pipelines.settings import model_name

    made = model_versions.rollback(model_name())
    print(f"{made.name} version {made.number} is the champion again.")


@app.command()
def predict(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures.")],
    version: Annotated[str, typer.Option(help="A version's number or alias.")] = "champion",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, with every class.")] = False,
) -> None:
    """Say what class each picture is of, and how sure the model is."""
    from pipelines.predict import predict_files

    sys.exit(predict_files(files, version=version, as_json=as_json))


@app.command()
def methods() -> None:
    """List every method, encoder, query strategy and source there is, by family."""
    from pipelines.methods import listing

    print(listing())


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port; the next free one if it is taken.")] = 5000,
) -> None:
    """Open the MLflow pages on this project's store, on this machine only."""
    from pipelines.ui import serve

    serve(port)


if __name__ == "__main__":
    main()
