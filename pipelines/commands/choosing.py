"""Commands that help to choose: what methods there are, which one pays on these pictures, what to ask people next."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.help_page import Grouped, examples

app = typer.Typer()
PANEL = "Methods and questions"
command = partial(app.command, rich_help_panel=PANEL)
compare = typer.Typer(cls=Grouped, help="Try methods beside each other before choosing one.", no_args_is_help=True)
weights = typer.Typer(cls=Grouped, help="Weights that others trained, to start from.", no_args_is_help=True)


@command(epilog=examples("winnow methods", "winnow methods simclr"))
def methods(
    name: Annotated[str, typer.Argument(help="One of them: what it is, and its settings.", metavar="NAME")] = "",
) -> None:
    """List every method, encoder, query strategy and source there is, by family; or describe one."""
    from pipelines.methods import description, listing

    print(description(name) if name else listing())


@compare.command("pretrain", epilog=examples("winnow compare pretrain --methods simclr,vicreg --minutes 1"))
def compare_pretrain(
    methods: Annotated[str, typer.Option(metavar="A,B,C", help="Names out of `winnow methods`.")],
    minutes: Annotated[float, typer.Option(help="CPU minutes of each.")] = 2.0,
) -> None:
    """Try self-supervised methods on your pictures for the same CPU time, and rank them without the test split."""
    from pipelines.compare import compare_pretraining

    compare_pretraining([name.strip() for name in methods.split(",") if name.strip()], minutes)


@compare.command("encoders", epilog=examples("winnow compare encoders project,efficientnet_lite0"))
def compare_encoders(
    names: Annotated[
        str,
        typer.Argument(
            metavar="A,B,C",
            help="project, file:PATH, timm:MODEL, torchvision:MODEL, a name that `winnow weights add` knows, or "
            "continued: before one of these: pretrained further on your pictures.",
        ),
    ],
    minutes: Annotated[float, typer.Option(help="CPU minutes of each continued pretraining.")] = 5.0,
) -> None:
    """Learn which encoder to take, by the labels that are visible already, and what it costs."""
    from pipelines.compare_encoders import compare_encoders

    compare_encoders([name.strip() for name in names.split(",") if name.strip()], minutes)


@command(epilog=examples("winnow campaign --strategy margin --strategy typiclust --rounds 3"))
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
    from pipelines.campaign.campaign import run_campaign
    from pipelines.campaign.plan import Options

    sys.exit(run_campaign(Options(rounds, budget, start, seeds, tuple(strategies or ()))))


@command(epilog=examples("winnow plan --target 0.95", "winnow plan --target 0.9 --seconds 12"))
def plan(
    target: Annotated[float, typer.Option(help="Accuracy that is wanted, between 0 and 1.")],
    seconds: Annotated[
        float | None, typer.Option(help="What a label takes a person. [default: the median of the ledger's cost]")
    ] = None,
) -> None:
    """Say how many labels, and hours, an accuracy still takes, by the labels that there are; with a picture."""
    from pipelines.answering.labels_needed import plan_labels

    plan_labels(target, seconds)


@command(epilog=examples("winnow synthesize --count 20 --minutes 2"))
def synthesize(
    count: Annotated[int, typer.Option(help="Pictures, at most.")] = 10,
    generator: Annotated[str, typer.Option(help="The self-supervised method that makes them: vae or gan.")] = "vae",
    minutes: Annotated[float, typer.Option(help="CPU minutes that it is trained for.")] = 1.0,
) -> None:
    """Make pictures where the model cannot tell two classes apart, and a page that asks you what they show."""
    from pipelines.synthesize import make_questions

    make_questions(generator, count, minutes)


@command(epilog=examples("winnow gap ../other-project"))
def gap(
    other: Annotated[Path, typer.Argument(metavar="PROJECT", help="The folder of another project, already ingested.")],
) -> None:
    """Say how far another project's pictures are from these, in the space of this encoder."""
    from pipelines.gap import show_gap

    show_gap(other)


@weights.command("add", epilog=examples("winnow weights add efficientnet_lite0", "winnow weights add timm:resnet10t"))
def weights_add(
    name: Annotated[str, typer.Argument(help="efficientnet_lite0, timm:MODEL or torchvision:MODEL.", metavar="NAME")],
    download: Annotated[bool, typer.Option("--download", help="They may be fetched from the network.")] = False,
) -> None:
    """Put weights to start from into data/weights, with whose they are and how pictures are prepared for them."""
    from pipelines.weights import add

    add(name, download=download)


app.add_typer(weights, name="weights", rich_help_panel=PANEL)
app.add_typer(compare, name="compare", rich_help_panel=PANEL)
