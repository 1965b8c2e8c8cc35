"""Commands that run the pipeline, on these pictures or on others, and say how it went."""

import sys
from functools import partial
from typing import Annotated

import typer

from pipelines.commands.help_page import examples

app = typer.Typer()
command = partial(app.command, rich_help_panel="The pipeline")

Force = Annotated[bool, typer.Option("--force", help="Run every stage, changed or not.")]
Start = Annotated[
    str | None, typer.Option("--from", metavar="STAGE", help="Run STAGE and all after it, changed or not.")
]
Source = Annotated[
    str | None,
    typer.Option(metavar="FOLDER", help="Your pictures: a folder or an archive of one. Kept in params.yaml."),
]
ImageSize = Annotated[
    int | None, typer.Option(metavar="PIXELS", help="Side that pictures are stored at. Kept in params.yaml.")
]
Channels = Annotated[int | None, typer.Option(metavar="1|3", help="1 gray, 3 color. Kept in params.yaml.")]
Budget = Annotated[
    int | None,
    typer.Option(metavar="LABELS", help="Labels that may be taken from class folders. Kept in params.yaml."),
]


@command(
    epilog=examples(
        "winnow repro",
        "winnow repro --source ~/pictures --image-size 64 --channels 3 --budget 100",
        "winnow repro --from label",
    )
)
def repro(
    force: Force = False,
    start: Start = None,
    source: Source = None,
    image_size: ImageSize = None,
    channels: Channels = None,
    budget: Budget = None,
) -> None:
    """Run what is stale, track it, and print what came out."""
    from pipelines.own_pictures import keep
    from pipelines.repro import reproduce

    keep(source=source, image_size=image_size, channels=channels, budget=budget)
    sys.exit(reproduce(force=force, start=start))


@command(epilog=examples("winnow photos ~/photos --budget 50"))
def photos(
    folder: Annotated[str, typer.Argument(help="Your photos: a folder or an archive of one.", metavar="FOLDER")],
    budget: Annotated[int, typer.Option(metavar="LABELS", help="Labels that may be taken from class folders.")] = 50,
    image_size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Side that photos are stored at. [default: the weights' own]")
    ] = None,
) -> None:
    """Write settings that suit photos into params.yaml: given weights if there are any, size, views, epochs."""
    from pipelines.photos import choose_for_photos

    choose_for_photos(folder, budget=budget, image_size=image_size)


@command(epilog=examples("winnow texts reviews.csv --label stars --budget 40"))
def texts(
    source: Annotated[str, typer.Argument(help="A table (.csv, .tsv, .jsonl, .parquet) or a folder.", metavar="FILE")],
    budget: Annotated[int, typer.Option(metavar="LABELS", help="Labels that may be taken from the source.")] = 40,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column with the texts.")] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column with the classes; '': none.")] = None,
    split: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that says train or test.")] = None,
    identity: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="The column that names rows.")] = None,
    unlabeled: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CELL", help="A cell that means no class, such as NULL, once for each; '': they are classes."
        ),
    ] = None,
) -> None:
    """Write settings that suit texts into params.yaml: columns, word vectors, views, epochs."""
    from pipelines.texts import choose_for_texts

    cells = [cell for cell in unlabeled if cell] if unlabeled else None
    columns = {"text": text, "label": label, "split": split, "id": identity, "unlabeled": cells}
    choose_for_texts(source, budget=budget, columns={name: one for name, one in columns.items() if one is not None})


@command(epilog=examples("winnow clips recordings --speaker '[0-9]_([a-z]+)_' --rate 8000 --seconds 1"))
def clips(
    source: Annotated[str, typer.Argument(help="A folder of recordings, or a table of them.", metavar="FOLDER")],
    budget: Annotated[int, typer.Option(metavar="LABELS", help="Labels that may be taken from the source.")] = 40,
    rate: Annotated[int, typer.Option(metavar="HERTZ", help="Samples a second that clips are brought to.")] = 16_000,
    seconds: Annotated[float, typer.Option(metavar="SECONDS", help="What is kept of a clip, at most.")] = 4.0,
    speaker: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|PATTERN", help="The column that says whose voice it is, or a pattern of paths; '': nothing."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column with the classes; '': none.")] = None,
    split: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that says train or test.")] = None,
) -> None:
    """Write settings that suit speech into params.yaml: rate, speakers, views, epochs."""
    from pipelines.clips import choose_for_clips

    columns = {name: one for name, one in {"label": label, "split": split}.items() if one is not None}
    choose_for_clips(source, budget=budget, rate=rate, seconds=seconds, speaker=speaker, columns=columns)


@command(
    epilog=examples(
        "winnow run", "winnow run --people-hours 8", "winnow run --source ~/pictures --image-size 64 --channels 3"
    )
)
def run(
    force: Force = False,
    start: Start = None,
    source: Source = None,
    image_size: ImageSize = None,
    channels: Channels = None,
    budget: Budget = None,
    people_hours: Annotated[
        float,
        typer.Option(min=0, max=8760, help="Wait so long at most for people to answer the open questions before."),
    ] = 0,
) -> None:
    """Run what is stale as a Prefect flow: retries, time limits, logs and results on its page."""
    from pipelines.flows.run import run_flow
    from pipelines.own_pictures import keep

    keep(source=source, image_size=image_size, channels=channels, budget=budget)
    sys.exit(run_flow(force=force, start=start, people_hours=people_hours))


@command(epilog=examples('winnow schedule --cron "30 22 * * 1-5" --timezone Europe/Berlin'))
def schedule(
    cron: Annotated[str, typer.Option(help="Minute, hour, day, month, weekday; this one is every night at three.")] = (
        "0 3 * * *"
    ),
    timezone: Annotated[str, typer.Option(help="Whose clock, as in Europe/Berlin.")] = "UTC",
) -> None:
    """Keep a flow on a schedule, one run at a time, with its pages; until stopped."""
    from pipelines.flows.schedule import keep_schedule

    keep_schedule(cron, timezone)


@command()
def status() -> None:
    """Say what is stale and why, how the last runs went, and which model versions serve and wait."""
    from pipelines.status import report

    print(report())


@command()
def summary() -> None:
    """Print what the last run came to: labels, accuracy, what shipped, the model's version, where to look."""
    from pipelines.summary import summarize

    print(summarize())


@command(epilog=examples("winnow doctor --fix"))
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely, and say what was done.")] = False,
) -> None:
    """Look the workspace over: what is wrong, and how to mend it."""
    from pipelines.doctor import examine

    sys.exit(examine(fix=fix))
