"""`winnow label ...`: people are asked on a page or by files; and the ledger is mended by rows appended to it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from components.core.errors import WinnowError
from pipelines.commands.help_page import Grouped, examples
from pipelines.labeling.places import LEDGER, MANIFEST, SYNTHETIC


class _AskFirst(Grouped):
    """`winnow label` alone, or with options, is `winnow label ask`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See above."""
        asks = not args or (args[0].startswith("-") and args[0] != "--help")
        parsed: list[str] = super().parse_args(ctx, ["ask", *args] if asks else args)
        return parsed


Then = Annotated[
    Literal["repro", "run"] | None,
    typer.Option(
        "--then", help="Start the next run with what was answered: `winnow repro` or, as a flow, `winnow run`."
    ),
]
app = typer.Typer()
label = typer.Typer(cls=_AskFirst, help="Ask people for labels, bring in their answers, mend the label ledger.")


@label.command(epilog=examples("winnow label ask --then repro", "winnow label ask --test --count 200"))
def ask(
    test: Annotated[
        bool, typer.Option("--test", help="Test samples whose class nobody knows, drawn at random: to measure by.")
    ] = False,
    count: Annotated[
        int, typer.Option(min=1, max=100_000, help="Questions, where no model has chosen them (select.budget does).")
    ] = 20,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; the next free one if it is taken.")] = 5004,
    second: Annotated[
        float, typer.Option(min=0, max=1, help="Share of questions that go to a second person, blind.")
    ] = 0.1,
    again: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of a person's answers that are asked for once more.")
    ] = 0.05,
    then: Then = None,
) -> None:
    """Open a page on this machine that asks for labels; `winnow label` alone does the same."""
    from pipelines.labeling.serve import serve
    from pipelines.labeling.sharing import Sharing
    from pipelines.labeling.then import go_on, rows

    before = rows()
    serve(test=test, count=count, port=port, sharing=Sharing(second=second, again=again), then=then is not None)
    go_on(then, before)


@label.command("export", epilog=examples("winnow label export questions.csv", "winnow label export tasks.json"))
def export_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".csv to fill in, or .json for Label Studio.")],
    test: Annotated[bool, typer.Option("--test", help="As of `winnow label ask`.")] = False,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="As of `winnow label ask`.")] = 20,
) -> None:
    """Write the open questions into a file for people to answer."""
    from pipelines.labeling.exporting import export_questions

    print(export_questions(file, test=test, count=count))


@label.command("import", epilog=examples("winnow label import answers.csv", "winnow label import project-1.json"))
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The gallery's, a CSV, or Label Studio's JSON(-MIN).")],
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Whose they are, where a CSV does not say.")] = "",
    test: Annotated[bool, typer.Option("--test", help="Answers about test samples, and no others.")] = False,
    then: Then = None,
) -> None:
    """Bring answers from a file into the ledger: all or none, and none twice."""
    from pipelines.labeling.importing import import_answers
    from pipelines.labeling.then import go_on, rows

    before = rows()
    print(import_answers(file, annotator=annotator, test=test))
    go_on(then, before)


Project = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="A project that is there. [default: this folder's own, which push makes]"),
]


@label.command(epilog=examples("winnow label push", "winnow label push --people 2"))
def push(
    project: Project = None,
    people: Annotated[
        int | None,
        typer.Option(min=1, max=100, metavar="N", help="By how many each question is to be answered. [default: 1]"),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="As of `winnow label ask`.")] = False,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="As of `winnow label ask`.")] = 20,
) -> None:
    """Put the open questions on a Label Studio server: that of LABEL_STUDIO_URL, by LABEL_STUDIO_API_KEY."""
    from pipelines.labeling.pushing import push_questions

    print(push_questions(number=project, people=people, test=test, count=count))


@label.command(epilog=examples("winnow label pull --then repro"))
def pull(
    project: Project = None,
    test: Annotated[bool, typer.Option("--test", help="Answers about test samples, and no others.")] = False,
    then: Then = None,
) -> None:
    """Bring answers from a Label Studio server into the ledger: all or none, and none twice."""
    from pipelines.labeling.pulling import pull_answers
    from pipelines.labeling.then import go_on, rows

    before = rows()
    print(pull_answers(number=project, test=test))
    go_on(then, before)


@label.command(epilog=examples("winnow label retract --round 3", "winnow label retract --annotator mira"))
def retract(
    round_: Annotated[
        int | None, typer.Option("--round", min=0, metavar="N", help="Answers whose rows name this round.")
    ] = None,
    annotator: Annotated[str, typer.Option(metavar="NAME", help="Answers of this person.")] = "",
) -> None:
    """Take back all answers of a round, of a person, or of a person in a round."""
    from pipelines.labeling.retract import retract as take_back

    print(take_back(round_, annotator))


@label.command(epilog=examples("winnow label withdraw --gone"))
def withdraw(
    gone: Annotated[bool, typer.Option("--gone", help="All labels whose sample is not there any more.")] = False,
) -> None:
    """Withdraw labels, by new rows with an empty label."""
    if not gone:
        raise WinnowError("say which labels to withdraw: --gone is for all whose sample is not there any more.")
    from components.datasets import gone as _gone
    from components.datasets.manifest import read_manifest
    from components.datasets.synthetic import is_synthetic
    from components.datasets.truth import answers
    from pipelines.labeling.said_again import say_again

    if not MANIFEST.is_file():
        raise WinnowError(f"{MANIFEST} is missing: run `dvc repro ingest`, which finds out what is there.")
    samples = read_manifest(MANIFEST, ["id", "sha256"])
    rows = answers(LEDGER, samples)
    lost = _gone.gone(rows, samples["id"].tolist(), SYNTHETIC)
    of_source = rows[~rows["id"].map(is_synthetic).astype(bool)]
    if len(of_source) and of_source["id"].isin(lost["id"]).all():
        raise WinnowError(
            f"none of the {of_source['id'].nunique()} samples that {LEDGER} labels is in {MANIFEST}: is ingest.source "
            "in params.yaml the folder that they are of? Nothing was withdrawn; to begin anew, leave the ledger's "
            "first line alone."
        )
    say_again(lost, "", "its sample is gone")
    print(f"{_labels(len(lost))} withdrawn in {LEDGER}.")


@label.command(epilog=examples("winnow label rename Cat cat"))
def rename(
    old: Annotated[str, typer.Argument(help="The class as the ledger names it.")],
    new: Annotated[str, typer.Argument(help="The class that it is.")],
) -> None:
    """Give every label in force of class OLD the class NEW, by new rows."""
    from components.core.config import did_you_mean
    from components.core.terminal import short
    from components.datasets.ledger import in_force, read_ledger
    from components.datasets.manifest import read_manifest
    from components.datasets.names import normal
    from components.datasets.truth import answers
    from pipelines.labeling.project import meant_classes
    from pipelines.labeling.said_again import say_again

    there = MANIFEST.is_file()
    rows = answers(LEDGER, read_manifest(MANIFEST, ["id", "sha256"])) if there else in_force(read_ledger(LEDGER))
    old, new = normal(old), normal(new)
    meant = meant_classes()
    if not new or (meant and new not in meant):
        raise WinnowError(
            f"NEW '{short(new)}' is no class of the source nor in label.classes: {did_you_mean(new, meant)}"
        )
    found = rows[rows["label"] == old]
    if found.empty:
        others = sorted(set(rows["label"]))
        choice = did_you_mean(old, others) if others else "it has no labels at all."
        raise WinnowError(f"{LEDGER} has no label '{short(old)}' in force: {choice}")
    say_again(found, new, f"was {old}")
    print(f"{_labels(len(found))} '{old}' {'is' if len(found) == 1 else 'are'} '{new}' now in {LEDGER}.")


def _labels(count: int) -> str:
    return f"{count} {'label' if count == 1 else 'labels'}"


app.add_typer(label, name="label", rich_help_panel="Methods and questions")
