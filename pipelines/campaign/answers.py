"""A person, simulated: the questions of a folder's `select`, and the oracle's answers in its ledger."""

from pathlib import Path

from pipelines.inline import LEDGER


def labeled_ids(folder: Path) -> list[str]:
    """Ids of the labels in force."""
    from components.datasets.labels import read_labels

    return read_labels(folder / "data/label/labels.parquet").ids


def questions(folder: Path) -> tuple[list[str], float]:
    """Ids of the queries, the most useful first, and the model's mean confidence in its guesses."""
    import pandas as pd

    queries = pd.read_csv(folder / "data/select/queries.csv", dtype={"id": "str"})
    return queries["id"].tolist(), float(queries["confidence"].mean())


def answer(folder: Path, ids: list[str], number: int) -> None:
    """Ask the oracle and write its answers into the folder's ledger."""
    from components.datasets.ledger import append
    from components.datasets.oracle import reveal

    answers = zip(ids, reveal(folder / "data/ingest/oracle.parquet", ids), strict=True)
    facts = {"annotator": "oracle", "source": "oracle", "round": number}
    append(folder / LEDGER, [{"id": id_, "label": label, **facts} for id_, label in answers])
