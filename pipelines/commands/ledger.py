"""`winnow label ...`: what mends the ledger by appending to it; no row is ever changed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.core.errors import WinnowError
from pipelines.commands.help_page import Grouped, examples

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()
label = typer.Typer(cls=Grouped, help="Mend the label ledger, by rows appended to it.", no_args_is_help=True)
LEDGER, SYNTHETIC = Path("data/labels/ledger.csv"), Path("data/labels/synthetic")
MANIFEST, ORACLE = Path("data/ingest/manifest.parquet"), Path("data/ingest/oracle.parquet")


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
    _append(lost.assign(label=""), "its sample is gone")
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
    from components.datasets.oracle import read_classes
    from components.datasets.truth import answers

    there = MANIFEST.is_file()
    rows = answers(LEDGER, read_manifest(MANIFEST, ["id", "sha256"])) if there else in_force(read_ledger(LEDGER))
    old, new = normal(old), normal(new)
    known = read_classes(ORACLE) if ORACLE.is_file() else []
    meant = sorted({*known, *_listed()})
    if not new or (meant and new not in meant):
        raise WinnowError(
            f"NEW '{short(new)}' is no class of the source nor in label.classes: {did_you_mean(new, meant)}"
        )
    found = rows[rows["label"] == old]
    if found.empty:
        others = sorted(set(rows["label"]))
        choice = did_you_mean(old, others) if others else "it has no labels at all."
        raise WinnowError(f"{LEDGER} has no label '{short(old)}' in force: {choice}")
    _append(found.assign(label=new), f"was {old}")
    print(f"{_labels(len(found))} '{old}' {'is' if len(found) == 1 else 'are'} '{new}' now in {LEDGER}.")


def _listed() -> tuple[str, ...]:
    """The classes that label.classes lists."""
    from components.core.config import read_params
    from components.core.stage_settings import stage_settings

    return stage_settings("label", read_params()).classes or ()


def _labels(count: int) -> str:
    return f"{count} {'label' if count == 1 else 'labels'}"


def _append(rows: "pd.DataFrame", note: str) -> None:
    """The rows again, as said now; a row from the future keeps its time, or it would go on counting."""
    from components.datasets.ledger import append

    now = datetime.now(UTC)
    at = [one if time > now.timestamp() else f"{now:%Y-%m-%dT%H:%M:%SZ}" for one, time in rows[["at", "time"]].values]
    columns = ["id", "label", "annotator", "source", "round", "at", "note"]
    values = rows.assign(at=at, note=note)[columns].itertuples(index=False)
    append(LEDGER, [dict(zip(columns, row, strict=True)) for row in values])


app.add_typer(label, name="label", rich_help_panel="Methods and questions")
