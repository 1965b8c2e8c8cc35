"""The `winnow` command: run the pipeline, see what came out, promote, roll back, predict."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from components.core.environment import prepare
from components.core.errors import WinnowError
from pipelines.ending import end_with

app = typer.Typer(
    help="From unlabeled data and a few hundred labels to a promoted model that can be rebuilt on demand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
compare = typer.Typer(help="Try methods beside each other before choosing one.", no_args_is_help=True)
app.add_typer(compare, name="compare")


def main() -> None:
    """Entry point: whatever goes wrong comes out as one sentence; `--debug` shows the traceback."""
    prepare()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    name = next((word for word in arguments if word.isalpha()), "winnow")
    end_with(lambda: app(arguments, prog_name="winnow"), name=name, debug="--debug" in sys.argv)


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
def run(
    force: Annotated[bool, typer.Option("--force", help="Run every stage, changed or not.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Run STAGE and all after it, changed or not.")
    ] = None,
) -> None:
    """Run what is stale as a Prefect flow: retries, time limits, logs and results on its page."""
    from pipelines.run import run_flow

    sys.exit(run_flow(force=force, start=start))


@app.command()
def schedule(
    cron: Annotated[str, typer.Option(help="Minute, hour, day, month, weekday; this one is every night at three.")] = (
        "0 3 * * *"
    ),
    timezone: Annotated[str, typer.Option(help="Whose clock, as in Europe/Berlin.")] = "UTC",
) -> None:
    """Keep a flow on a schedule, one run at a time, with its pages; until stopped."""
    from pipelines.schedule import keep_schedule

    keep_schedule(cron, timezone)


@app.command()
def status() -> None:
    """Say what is stale and why, how the last runs went, and which model versions serve and wait."""
    from pipelines.status import report

    print(report())


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
    """Say what class each picture is of, how sure the model is, and in braces what classes it cannot rule out."""
    from pipelines.predict import predict_files

    sys.exit(predict_files(files, version=version, as_json=as_json))


@app.command()
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
            help="winnow | torchvision | timm | pt2 | onnx; again for more. [default: winnow]",
        ),
    ] = None,
) -> None:
    """Write the encoder for use elsewhere: weights by a library's names, or a program of its own."""
    from pipelines.export import export_encoder

    export_encoder(folder, stage=stage, formats=formats or ["winnow"])


@app.command()
def gap(
    other: Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder of another project, already ingested.")],
) -> None:
    """Say how far another project's pictures are from these, in the space of this encoder."""
    from pipelines.gap import show_gap

    show_gap(other)


@compare.command("pretrain")
def compare_pretrain(
    methods: Annotated[str, typer.Option(metavar="A,B,C", help="Names out of `winnow methods`.")],
    minutes: Annotated[float, typer.Option(help="CPU minutes of each.")] = 2.0,
) -> None:
    """Try self-supervised methods on your pictures for the same CPU time, and rank them without the test split."""
    from pipelines.compare import compare_pretraining

    compare_pretraining([name.strip() for name in methods.split(",") if name.strip()], minutes)


@app.command()
def synthesize(
    count: Annotated[int, typer.Option(help="Pictures, at most.")] = 10,
    generator: Annotated[str, typer.Option(help="The self-supervised method that makes them: vae or gan.")] = "vae",
    minutes: Annotated[float, typer.Option(help="CPU minutes that it is trained for.")] = 1.0,
) -> None:
    """Make pictures where the model cannot tell two classes apart, and a page that asks you what they show."""
    from pipelines.synthesize import make_questions

    make_questions(generator, count, minutes)


@app.command()
def campaign(
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", metavar="NAME", help="Give it again for more. [default: the one in params.yaml]"),
    ] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of questions after the first labels.")] = 5,
    budget: Annotated[int, typer.Option(help="Questions of each round.")] = 10,
    start: Annotated[int, typer.Option(help="First labels, picked by label.first; the same for all.")] = 10,
    seeds: Annotated[int, typer.Option(help="How often all of it is done, each time pretrained anew.")] = 5,
) -> None:
    """Learn which query strategy pays on your data, by asking its own truth; `random` always runs too."""
    from pipelines.campaign import run_campaign
    from pipelines.campaign_plan import Options

    sys.exit(run_campaign(Options(rounds, budget, start, seeds, tuple(strategies or ()))))


@app.command()
def methods(
    name: Annotated[str, typer.Argument(help="One of them: what it is, and its settings.", metavar="NAME")] = "",
) -> None:
    """List every method, encoder, query strategy and source there is, by family; or describe one."""
    from pipelines.methods import description, listing

    print(description(name) if name else listing())


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely, and say what was done.")] = False,
) -> None:
    """Look the workspace over: what is wrong, and how to mend it."""
    from pipelines.doctor import examine

    sys.exit(examine(fix=fix))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port; the next free one if it is taken.")] = 5000,
) -> None:
    """Open the MLflow pages on this project's store, on this machine only."""
    from pipelines.ui import serve

    serve(port)


@app.command()
def flows(
    port: Annotated[int, typer.Option(help="Port; the next free one if it is taken.")] = 4200,
) -> None:
    """Open the Prefect pages on this project's flow runs, on this machine only."""
    from pipelines.server import show

    show(port)


if __name__ == "__main__":
    main()
