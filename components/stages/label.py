"""Decide which labels are in force: the ledger's first, then the source's, never more than the budget."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from pydantic import Field

from components.core.config import PluginChoice, StageParams, nearest
from components.core.errors import WinnowError
from components.datasets.folds import assign_folds
from components.datasets.labels import Labels, write_labels
from components.datasets.ledger import in_force, read_ledger
from components.datasets.manifest import read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.synthetic import is_synthetic, read_content, write_synthetic
from components.datasets.vectors import open_vectors
from components.stages._votes import aggregate, write_annotators

_NAMED = 3  # classes in a sentence


class Params(StageParams):
    """budget: labels the pipeline may look at, validation included (None: all there are); first: the query strategy
    that picks those a source with an oracle reveals; folds: validation folds, at most; aggregation: the label model
    that weighs several annotators of one sample.
    """

    budget: int | None = Field(None, ge=1)
    first: str = "k_medoids"
    folds: int = Field(5, ge=0)
    aggregation: PluginChoice = PluginChoice(name="majority_vote")


def run(
    *,
    params: Params,
    manifest: Path,
    oracle: Path,
    ledger: Path,
    synthetic: Path,
    embeddings: Path,
    labels: Path,
    synthetic_labels: Path,
    annotators: Path,
) -> dict[str, float]:
    """Write the labels in force, those of made pictures apart, and a table of who gave them; return what they cost.

    synthetic: the folder of made pictures. Their labels count in the budget, and no fold holds them out.

    Raises WinnowError for a ledger row that names an unknown sample or class, a budget above what is known, no labels,
    or labels of a single class.
    """
    samples = read_manifest(manifest, ["id", "split", "group"])
    samples["position"] = np.arange(len(samples))
    train = samples[samples["split"] == "train"].reset_index(drop=True)
    rows, counts = _ledger_rows(ledger, samples)
    classes = read_classes(oracle) or sorted(set(rows["label"]))
    _check_classes(rows, classes, ledger)
    order = rows["id"].drop_duplicates().tolist()[: params.budget]
    rows = rows[rows["id"].isin(order)]
    revealed = _reveal(params, train, oracle, embeddings, order)
    made = sorted(id_ for id_ in order if is_synthetic(id_))
    ids = sorted({*order, *revealed} - {*made})
    if not ids:
        raise WinnowError("there is no label yet: add rows to data/labels/ledger.csv, or use a source with labels.")
    weighed = aggregate(params.aggregation, [*ids, *made], rows, revealed, classes)
    distributions = weighed.distributions[: len(ids)]
    _check_variety(distributions, classes, params.budget)
    sources = dict(zip(rows["id"], rows["source"], strict=True))
    given = "given" if params.budget is None else "oracle"
    groups = train.set_index("id")["group"].loc[ids].tolist()
    _say_what_is_left_out(distributions, classes, counts)
    folds = assign_folds(distributions.argmax(1), groups, folds=params.folds, seed=params.seed)
    said_by = [sources.get(id_, given) for id_ in ids]
    write_labels(labels, Labels(ids, distributions, said_by, folds, classes, len(made)))
    contents = [read_content(synthetic, id_) for id_ in made]
    write_synthetic(synthetic_labels, made, weighed.distributions[len(ids) :], contents)
    write_annotators(annotators, weighed.annotators)
    return {
        **weighed.figures,
        "labels_used": len(ids) + len(made),
        "labels_synthetic": len(made),
        "labels_from_ledger": len(order),
        "labels_from_source": len(revealed),
        "classes_without_label": int((distributions.sum(0) == 0).sum()),
        "labels_never_held_out": int((folds < 0).sum()),
        "folds": int(folds.max()) + 1,
        "ledger_over_budget": counts["training"] - len(order),
        "ledger_test_samples_ignored": counts["test"],
    }


def check_first(name: str) -> None:
    """Raise WinnowError where no query strategy has this name, or the one that has needs a trained model."""
    from components.core.registry import load

    if load("query_strategy", name, where="label.first").needs_model:
        raise WinnowError(f"label.first is '{name}', which needs a trained model: choose k_medoids.")


def _ledger_rows(path: Path, samples: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The ledger's rows in force for training samples, in file order, and how many samples of each split it names.

    Made pictures count as training samples.
    """
    ledger = read_ledger(path)
    rows = in_force(ledger.assign(line=np.arange(len(ledger)) + 2))
    split = rows["id"].map(dict(zip(samples["id"], samples["split"], strict=True)))
    split[rows["id"].map(is_synthetic).astype(bool)] = "train"
    if split.isna().any():
        row = rows[split.isna()].iloc[0]
        raise WinnowError(
            f"{path}, line {row['line']}: no sample has the id '{row['id']}': restore its file, or withdraw the label "
            "by a new row with an empty label."
        )
    training = rows[split == "train"]
    test = rows.loc[split == "test", "id"].nunique()
    return training, {"training": training["id"].nunique(), "test": test}


def _check_classes(rows: pd.DataFrame, classes: list[str], path: Path) -> None:
    unknown = rows[~rows["label"].isin(classes)]
    if len(unknown):
        line, label = unknown.iloc[0][["line", "label"]]
        raise WinnowError(f"{path}, line {line}: unknown class '{label}': {nearest(label, classes)}")


def _reveal(
    params: Params, train: pd.DataFrame, oracle: Path, embeddings: Path, labeled: Sequence[str]
) -> dict[str, str]:
    """Classes by id that the source gives beside the ledger: all it knows, or the chosen rest of the budget."""
    known = train["id"].isin(pq.read_table(oracle, columns=["id"])["id"].to_pylist()).to_numpy()
    has_label = train["id"].isin(labeled).to_numpy()
    candidates = np.flatnonzero(known & ~has_label)
    if params.budget is not None:
        missing = params.budget - len(labeled)
        if missing > len(candidates):
            raise WinnowError(
                f"label.budget is {params.budget}, but only {len(labeled) + len(candidates)} training samples have a "
                "label in the ledger or the source: lower it, or leave it empty to use them all."
            )
        candidates = _choose(params, embeddings, train, np.flatnonzero(has_label), candidates, missing)
    ids = train["id"].to_numpy()[candidates].tolist()
    return {id_: name for id_, name in zip(ids, reveal(oracle, ids), strict=True) if name is not None}


def _choose(
    params: Params,
    embeddings: Path,
    train: pd.DataFrame,
    labeled: npt.NDArray[np.int64],
    candidates: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.int64]:
    """The `count` candidates (rows of `train`) that `first` finds most useful, seen through their vectors alone."""
    from components.core.registry import build
    from components.core.seeds import torch_generator
    from components.methods.contracts import Pool

    check_first(params.first)
    if not count:
        return candidates[:0]
    strategy = build("query_strategy", PluginChoice(name=params.first), where="label.first")
    vectors = open_vectors(embeddings)[train["position"].to_numpy()]
    chosen = strategy.query(Pool(vectors, labeled, candidates), count, torch_generator(params.seed, "label"))
    return np.asarray(chosen, np.int64)


def _say_what_is_left_out(distributions: npt.NDArray[np.float32], classes: list[str], counts: dict[str, int]) -> None:
    unseen = [name for name, votes in zip(classes, distributions.sum(0), strict=True) if not votes]
    if unseen:
        shown = ", ".join(unseen[:_NAMED]) + (", ..." if len(unseen) > _NAMED else "")
        print(
            f"  label: no label of {shown}, so the model cannot learn {len(unseen)} of {len(classes)} classes: "
            "raise label.budget, or add labels to the ledger.",
            file=sys.stderr,
        )
    if counts["test"]:
        print(f"  label: {counts['test']} ledger ids are test samples: only evaluate reads them.", file=sys.stderr)


def _check_variety(distributions: npt.NDArray[np.float32], classes: list[str], budget: int | None) -> None:
    seen = np.flatnonzero(distributions.sum(0))
    if len(seen) == 1:
        mend = "add labels of another class to the ledger" + ("" if budget is None else ", or raise label.budget")
        raise WinnowError(f"all {len(distributions)} labels are of class '{classes[seen[0]]}': {mend}.")
