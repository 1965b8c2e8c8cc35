"""Decide which labels are in force: answers in the ledger, what the source reveals up to the budget, and rules."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from pydantic import Field, field_validator

from components.core.config import PluginChoice, StageParams
from components.core.errors import WinnowError
from components.datasets.folds import assign_folds
from components.datasets.gone import refuse_gone
from components.datasets.identity import earlier_ids
from components.datasets.label_rules import say_what_counts, settle_classes, settle_rules
from components.datasets.label_variety import check_variety, standing_in
from components.datasets.labels import Labels, write_labels
from components.datasets.ledger import read_ledger
from components.datasets.manifest import TOGETHER, has_origins, read_manifest
from components.datasets.names import normal
from components.datasets.oracle import read_classes, reveal
from components.datasets.revealed import read_revealed, write_revealed
from components.datasets.rule_labels import write_rule_figures, write_rule_labels
from components.datasets.rules import Rule, read_rules
from components.datasets.sample_store import open_samples
from components.datasets.synthetic import is_synthetic, read_content, write_synthetic
from components.datasets.truth import answers, say_where_nothing_measures
from components.datasets.vectors import open_vectors
from components.judging.agreement import with_repeats
from components.judging.rule_votes import Weighed, search_by_rules, weigh_rules
from components.judging.votes import aggregate, write_annotators
from components.modalities import build_modality

if TYPE_CHECKING:
    from components.methods.contracts import QueryStrategy


class Params(StageParams):
    """budget: labels, validation included, up to which the source reveals what people have not said (None: all it
    knows); first: the query strategy that picks those; classes: all there are, where the source does not know them
    all; folds: validation folds, at most; aggregation: the label model that weighs several annotators of one sample,
    rule_aggregation: several rules; rule_seconds: of CPU that a rule's regular expression may take.
    """

    budget: int | None = Field(None, ge=0)
    first: PluginChoice = PluginChoice(name="k_medoids")
    classes: tuple[str, ...] | None = None
    folds: int = Field(5, ge=0)
    aggregation: PluginChoice = PluginChoice(name="majority_vote")
    rule_aggregation: PluginChoice = PluginChoice(name="majority_vote")
    rule_seconds: int = Field(30, ge=1)

    @field_validator("folds")
    @classmethod
    def _several(cls, value: int) -> int:
        if value == 1:
            raise ValueError("0, or 2 and more: a single fold would hold all labels out at once")
        return value

    @field_validator("classes", mode="before")
    @classmethod
    def _names(cls, classes: Any) -> Any:
        for name in classes if isinstance(classes, list | tuple) else ():
            if not isinstance(name, str):
                raise ValueError(f"names of classes; {name!r} is none: put it in quotes")
        return [normal(name) for name in classes] if isinstance(classes, list | tuple) else classes


def run(
    *,
    params: Params,
    manifest: Path,
    oracle: Path,
    quarantine: Path,
    ledger: Path,
    rules: Path,
    synthetic: Path,
    samples: Path,
    embeddings: Path,
    labels: Path,
    synthetic_labels: Path,
    rule_labels: Path,
    rule_figures: Path,
    annotators: Path,
    revealed: Path,
) -> dict[str, float]:
    """Write the labels in force, those of made pictures and of rules apart, and tables of who gave them; return costs.

    synthetic: the folder of made pictures. Their labels count in the budget, and no fold holds them out.
    revealed: what the source revealed before, if it is there already; written anew with what it reveals now.
    rule_labels: what rules say of training samples; no labels, but they stand in while a class of theirs has none.

    Raises WinnowError for ledger rows that name unknown samples or classes, rules that cannot be, a budget above what
    is known, no labels, or labels of a single class.
    """
    listing = read_manifest(manifest, ["id", "split", "group", "sha256", *[TOGETHER] * has_origins(manifest)])
    listing["position"] = np.arange(len(listing))
    every, written = answers(ledger, listing), read_rules(rules)
    refuse_gone(every, listing["id"].tolist(), synthetic, quarantine, ledger)
    found = _in_force(params, listing, every, oracle, ledger, embeddings, revealed, rules, written)
    weighed = aggregate(params.aggregation, [*found.ids, *found.made], found.rows, found.from_source, found.classes)
    own = weighed.distributions[: len(found.ids)]
    spoken, ids = _by_rules(params, rules, written, samples, listing, found, own)
    write_rule_labels(rule_labels, ids, spoken.distributions)
    write_rule_figures(rule_figures, spoken.table)
    known = standing_in(_vouched(params, found, own, listing), ids, spoken.distributions)
    check_variety(known, params.budget)
    write_labels(labels, known)
    contents = [read_content(synthetic, id_) for id_ in found.made]
    write_synthetic(synthetic_labels, found.made, weighed.distributions[len(found.ids) :], contents)
    write_annotators(annotators, with_repeats(weighed.annotators, read_ledger(ledger)))
    return {**weighed.figures, **spoken.figures, **found.figures(params.budget), **_figures(known)}


@dataclass(frozen=True)
class _InForce:
    """Whose labels count: ids of samples, ids of made ones; what people said of them and the source of the others.

    rows: the ledger's, of training samples; set_aside: how many samples of the test split people labeled.
    """

    ids: list[str]
    made: list[str]
    rows: pd.DataFrame
    from_source: dict[str, str]
    classes: list[str]
    set_aside: int

    def figures(self, budget: int | None) -> dict[str, float]:
        """How many labels there are, and from whom."""
        used = len(self.ids) + len(self.made)
        return {
            "labels_used": used,
            "labels_synthetic": len(self.made),
            "labels_from_ledger": used - len(self.from_source),
            "labels_from_source": len(self.from_source),
            "labels_beyond_budget": max(0, used - (budget or used)),
            "ledger_test_samples": self.set_aside,
        }


def first_strategy(choice: PluginChoice) -> "QueryStrategy":
    """The query strategy itself. Raises WinnowError where there is none, or it needs a trained model."""
    from components.core.plugins import build

    strategy: QueryStrategy = build("query_strategy", choice, where="label.first")
    if strategy.needs_model:
        raise WinnowError(f"label.first is '{choice.name}', which needs a trained model: choose k_medoids.")
    return strategy


def _in_force(
    params: Params,
    samples: pd.DataFrame,
    every: pd.DataFrame,
    oracle: Path,
    ledger: Path,
    embeddings: Path,
    revealed: Path,
    table: Path,
    rules: list[Rule],
) -> _InForce:
    """Every answer of people (`every`), and what the source reveals up to the budget, which is put on record."""
    train = samples[samples["split"] == "train"].reset_index(drop=True)
    now = earlier_ids(samples)
    record = {now.get(id_, id_): name for id_, name in read_revealed(revealed).items()}
    before = _revealed_before(train, oracle, record)
    source = read_classes(oracle)
    classes = settle_classes(params.classes, source, set(before.values()), every, ledger)
    classes = settle_rules(rules, classes, table, fixed=bool(params.classes or source))
    rows = every[~every["id"].isin(samples.loc[samples["split"] == "test", "id"])]
    order = rows["id"].drop_duplicates().tolist()
    given_now = _from_source(params, train, oracle, embeddings, {*order, *before})
    write_revealed(revealed, record | ({} if params.budget is None else before | given_now))
    from_source = {id_: name for id_, name in (before | given_now).items() if id_ not in set(order)}
    set_aside = every["id"].nunique() - len(order)
    say_what_counts(params.budget, order, before, record, ledger, set_aside)
    say_where_nothing_measures(oracle, every, samples.loc[samples["split"] == "test", "id"].tolist())
    made = sorted(id_ for id_ in order if is_synthetic(id_))
    ids = sorted({*order, *from_source} - {*made})
    if not ids and not rules:
        raise WinnowError("there is no label yet: answer questions with `winnow label`, then run this again.")
    return _InForce(ids, made, rows, from_source, classes, set_aside)


def _by_rules(
    params: Params,
    table: Path,
    rules: list[Rule],
    samples: Path,
    listing: pd.DataFrame,
    found: _InForce,
    own: npt.NDArray[np.float32],
) -> tuple[Weighed, list[str]]:
    """What the rules say of the training split, and the ids of the samples that they speak of."""
    train = listing[listing["split"] == "train"]
    ids, positions = train["id"].to_numpy(), train["position"].to_numpy()
    store = open_samples(samples) if rules else None
    kind = build_modality(store.about.modality) if store else None
    matches = search_by_rules(rules, table, kind, store, positions, params.rule_seconds) if kind and store else []
    place = {id_: row for row, id_ in enumerate(ids.tolist())}
    known = {place[id_]: int(row) for id_, row in zip(found.ids, own.argmax(1), strict=True)}
    spoken = weigh_rules(params.rule_aggregation, rules, matches, found.classes, known, len(train))
    return spoken, ids[spoken.places].tolist()


def _vouched(params: Params, found: _InForce, own: npt.NDArray[np.float32], listing: pd.DataFrame) -> Labels:
    """The labels that somebody or the source answers for, each with the fold that holds it out."""
    whole = TOGETHER in listing
    groups = listing.set_index("id")[TOGETHER if whole else "group"].loc[found.ids].tolist()
    folds = assign_folds(own.argmax(1), groups, folds=params.folds, seed=params.seed, whole=whole)
    sources = _said_by(found, "given" if params.budget is None else "oracle")
    return Labels(found.ids, own, sources, folds, found.classes, len(found.made))


def _said_by(found: _InForce, source: str) -> list[str]:
    """Who said each sample's label: people as the ledger names them, else the `source`."""
    people = dict(zip(found.rows["id"], found.rows["source"], strict=True))
    return [people.get(id_, source) for id_ in found.ids]


def _figures(known: Labels) -> dict[str, float]:
    return {
        "classes_without_label": int((known.distributions.sum(0) == 0).sum()),
        "labels_never_held_out": int((known.vouched.folds < 0).sum()),
        "folds": int(known.folds.max()) + 1,
        **({"labels_by_rules": known.ruled} if known.ruled else {}),
    }


def _revealed_before(train: pd.DataFrame, oracle: Path, record: dict[str, str]) -> dict[str, str]:
    """Classes by id of the training samples on record: what the source says today, else what it said then."""
    ids = train.loc[train["id"].isin(record), "id"].tolist()
    return {id_: now or record[id_] for id_, now in zip(ids, reveal(oracle, ids), strict=True)}


def _from_source(
    params: Params, train: pd.DataFrame, oracle: Path, embeddings: Path, spent: set[str]
) -> dict[str, str]:
    """Classes by id of training samples that the source reveals now: all but the `spent` ones, or up to the budget.

    A source that knows no class reveals none, whatever the budget.
    """
    known = train["id"].isin(pq.read_table(oracle, columns=["id"])["id"].to_pylist()).to_numpy()
    taken = train["id"].isin(spent).to_numpy()
    candidates = np.flatnonzero(known & ~taken)
    if params.budget is not None and known.any():
        missing = max(0, params.budget - len(spent))
        if missing > len(candidates):
            raise WinnowError(
                f"label.budget is {params.budget}, but only {len(spent) + len(candidates)} training samples "
                "have a label in the ledger or the source: lower it, or leave it empty to use them all."
            )
        candidates = _choose(params, embeddings, train, np.flatnonzero(taken), candidates, missing)
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
    from components.core.seeds import torch_generator
    from components.methods.contracts import Pool

    strategy = first_strategy(params.first)
    if not count:
        return candidates[:0]
    vectors = open_vectors(embeddings)[train["position"].to_numpy()]
    chosen = strategy.query(Pool(vectors, labeled, candidates), count, torch_generator(params.seed, "label"))
    return np.asarray(chosen, np.int64)
