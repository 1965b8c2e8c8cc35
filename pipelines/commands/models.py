"""Commands about what the pipeline made: ask the model, choose which version serves, take the encoder elsewhere."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from components.core.errors import WinnowError
from components.core.terminal import short
from pipelines.commands.help_page import examples

app = typer.Typer()
command = partial(app.command, rich_help_panel="The model")


@command(
    epilog=examples(
        "winnow predict photo.jpg",
        "winnow predict --json --version 2 photos/*.jpg",
        'winnow predict --text "Shares fell on Monday"',
    )
)
def predict(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE...]", help="Samples; - : a text on each line of standard input."),
    ] = None,
    texts: Annotated[list[str] | None, typer.Option("--text", help="A text itself; again for more.")] = None,
    version: Annotated[str, typer.Option(help="A version's number or alias.")] = "champion",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, with every class.")] = False,
) -> None:
    """Say what class each sample is of, how sure the model is, and in braces what classes it cannot rule out."""
    from pipelines.predict import predict_files

    sys.exit(predict_files(files or [], version=version, as_json=as_json, texts=texts or []))


@command(epilog=examples("winnow promote 2"))
def promote(version: Annotated[str, typer.Argument(help="Number of the version to serve.")]) -> None:
    """Make VERSION the champion by hand."""
    if not version.isdecimal():
        raise WinnowError(f"VERSION is a number, not '{short(version)}': `winnow summary` shows the last one.")
    from components.core import model_versions
    from components.release.registered import prove
    from pipelines.settings import model_name

    made = model_versions.promote(model_name(), version, prove=prove)
    print(f"{made.name} version {made.number} is the champion.")


@command()
def rollback() -> None:
    """Make the champion before this one the champion again."""
    from components.core import model_versions
    from components.release.registered import prove
    from pipelines.settings import model_name

    made = model_versions.rollback(model_name(), prove=prove)
    print(f"{made.name} version {made.number} is the champion again.")


@command(epilog=examples("winnow serve", "winnow serve 2 --port 8080"))
def serve(
    version: Annotated[str, typer.Argument(help="A version's number or alias.")] = "champion",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 5002,
) -> None:
    """Answer pictures over HTTP, on this machine only, with a version that was checked; until stopped."""
    from pipelines.serve import serve as serve_version

    serve_version(version, port)


@command(epilog=examples("winnow export encoder", "winnow export encoder --from finetune --format onnx --format pt2"))
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    stage: Annotated[
        str, typer.Option("--from", metavar="STAGE", help="pretrain | finetune: whose encoder.")
    ] = "pretrain",
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="winnow | torchvision | timm | sentence_transformers | pt2 | onnx; again for more. [default: winnow]",
        ),
    ] = None,
) -> None:
    """Write the encoder for use elsewhere: weights by a library's names, or a program of its own."""
    from pipelines.export import export_encoder

    export_encoder(folder, stage=stage, formats=formats or ["winnow"])
