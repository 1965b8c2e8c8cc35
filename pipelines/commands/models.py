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
        'winnow predict --why --text "Shares fell on Monday"',
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
    why: Annotated[bool, typer.Option("--why", help="Of texts also the words that decided.")] = False,
) -> None:
    """Say what class each sample is of, how sure the model is, and in braces what classes it cannot rule out."""
    from pipelines.predict import predict_files

    sys.exit(predict_files(files or [], version=version, as_json=as_json, texts=texts or [], why=why))


Person = Annotated[str, typer.Option("--as", metavar="NAME", help="Who decides; your login, where nobody is asked.")]


@command(epilog=examples("winnow promote 2", 'winnow promote 2 --as "Ada Lovelace" --despite "the old one is worse"'))
def promote(
    version: Annotated[str, typer.Argument(help="Number of the version to serve.")],
    name: Person = "",
    despite: Annotated[
        str, typer.Option(metavar="WHY", help="Why it serves though the gate, or a dirty tree, speaks against it.")
    ] = "",
) -> None:
    """Make VERSION the champion by hand; who, and why against the gate, is kept with it."""
    if not version.isdecimal():
        raise WinnowError(f"VERSION is a number, not '{short(version)}': `winnow summary` shows the last one.")
    from pipelines import deciding

    print(deciding.promote(version, by=name, despite=despite))


@command(epilog=examples('winnow rollback --as "Ada Lovelace" --why "it mistakes 3 for 8"'))
def rollback(
    name: Person = "", why: Annotated[str, typer.Option(metavar="WHY", help="Why; kept with the version.")] = ""
) -> None:
    """Make the champion before this one the champion again."""
    from pipelines import deciding

    print(deciding.roll_back(by=name, why=why))


@command(
    epilog=examples(
        'winnow approve 3 --as "Ada Lovelace" --why "looked at the 12 it lost"',
        'winnow approve 3 --as "Ada Lovelace" --reject --why "it lost all the 8s"',
    )
)
def approve(
    version: Annotated[str, typer.Argument(help="Number of the version, or candidate.")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Who says so: somebody else than who made it.")],
    why: Annotated[str, typer.Option(metavar="WHY", help="Why; kept with the version.")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="Say no: the champion stays.")] = False,
    own: Annotated[bool, typer.Option("--own", help="You made it, decide nevertheless, and have that kept.")] = False,
    evidence: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Of the card you read: refused where it has changed since.")
    ] = None,
) -> None:
    """Say yes or no to the gate's candidate, where register.gate.approval is person; a yes makes it the champion."""
    from components.release.approval import Answer, person, reason, seen
    from pipelines import deciding

    digest = "" if evidence is None else seen(evidence)
    print(deciding.approve(version, Answer(person(name), reason(why), not reject, digest, own)))


@command(epilog=examples("winnow serve", "winnow serve 2 --port 8080"))
def serve(
    version: Annotated[str, typer.Argument(help="A version's number or alias.")] = "champion",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 5002,
) -> None:
    """Answer samples over HTTP, on this machine only, with a version that was checked; until stopped."""
    from pipelines.serve import serve as serve_version

    serve_version(version, port)


@command(
    epilog=examples(
        "winnow export encoder",
        "winnow export encoder --from finetune --format onnx --format pt2 --license apache-2.0",
    )
)
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
            help="winnow | torchvision | timm | sentence_transformers | pt2 | onnx, and croissant: the data set; again "
            "for more. [default: winnow]",
        ),
    ] = None,
    license_id: Annotated[str, typer.Option("--license", metavar="ID", help="Of the weights, for the card.")] = "",
    data_license: Annotated[str, typer.Option(metavar="URL", help="Of the data, for croissant.")] = "",
    data_creator: Annotated[
        str, typer.Option(metavar="NAME", help="The organization that made the data, for croissant.")
    ] = "",
    data_url: Annotated[str, typer.Option(metavar="URL", help="Where the data is, for croissant.")] = "",
) -> None:
    """Write the encoder for use elsewhere: weights by a library's names, or a program of its own; with a card."""
    from pipelines.export import Stated, export_encoder

    stated = Stated(license_id, data_license, data_creator, data_url)
    export_encoder(folder, stage=stage, formats=formats or ["winnow"], stated=stated)
