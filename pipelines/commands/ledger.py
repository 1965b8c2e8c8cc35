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
    from components.datasets.manifest import read_manifest
    from components.datasets.truth import answers
    from components.stages import _gone

    if not MANIFEST.is_file():
        raise WinnowError(f"{MANIFEST} is missing: run `dvc repro ingest`, which finds out what is there.")
    samples = read_manifest(MANIFEST, ["id", "sha256"])
    lost = _gone.gone(answers(LEDGER, samples), samples["id"].tolist(), SYNTHETIC)
    _append(lost.assign(label=""), "its sample is gone")
    print(f"{len(lost)} labels withdrawn in {LEDGER}.")


@label.command(epilog=examples("winnow label rename Cat cat"))
def rename(
    old: Annotated[str, typer.Argument(help="The class as the ledger names it.")],
    new: Annotated[str, typer.Argument(help="The class that it is.")],
) -> None:
    """Give every label in force of class OLD the class NEW, by new rows."""
    from components.core.config import nearest
    from components.datasets.ledger import in_force, read_ledger
    from components.datasets.names import normal
    from components.datasets.oracle import read_classes

    rows, old, new = in_force(read_ledger(LEDGER)), normal(old), normal(new)
    known = read_classes(ORACLE) if ORACLE.is_file() else []
    if not new or (known and new not in known):
        raise WinnowError(f"NEW '{new}' is no class of the source: {nearest(new, known)}")
    found = rows[rows["label"] == old]
    if found.empty:
        raise WinnowError(f"{LEDGER} has no label '{old}' in force: {nearest(old, sorted(set(rows['label'])))}")
    _append(found.assign(label=new), f"was {old}")
    print(f"{len(found)} labels '{old}' are '{new}' now in {LEDGER}.")


def _append(rows: "pd.DataFrame", note: str) -> None:
    """The rows again, as said now; a row from the future keeps its time, or it would go on counting."""
    from components.datasets.ledger import append

    now = datetime.now(UTC)
    at = [one if time > now.timestamp() else f"{now:%Y-%m-%dT%H:%M:%SZ}" for one, time in rows[["at", "time"]].values]
    columns = ["id", "label", "annotator", "source", "round", "at", "note"]
    values = rows.assign(at=at, note=note)[columns].itertuples(index=False)
    append(LEDGER, [dict(zip(columns, row, strict=True)) for row in values])


app.add_typer(label, name="label", rich_help_panel="Methods and questions")
