"""Choose the next batch worth a person's time, and show each question with the model's guess and the reason."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from pydantic import Field

from components.core.config import PluginChoice, StageParams
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.plugins import build
from components.core.seeds import torch_generator
from components.core.spreadsheet import to_csv
from components.datasets.labels import Labels, read_labels
from components.datasets.ledger import passed_over
from components.datasets.manifest import positions_of, read_manifest, rows_of
from components.datasets.sample_store import Store, open_samples
from components.datasets.vectors import open_vectors
from components.judging.label_errors import find_suspects
from components.methods.clusters import nearest, unit
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.modalities import Modality, build_modality
from components.models.classifier import Classifier, load_classifier
from components.models.prediction_sets import PredictionSets, members
from components.pages.gallery import Card, Doubt, Example, write_gallery
from components.pages.reasons import reason, undecided
from components.pages.tasks import labeling_task
from components.training.inference import dropout_masks, known_vectors, observe
from components.training.occlusion import decisive_parts

COLUMNS = ("id", "path", "rank", "guess", "confidence", "reason")
SUSPECT_COLUMNS = ("id", "path", "label", "source", "said", "confidence")
Flags = npt.NDArray[np.bool_]


class Params(StageParams):
    """strategy: the query strategy and its options; budget: how many questions.

    abstentions_first: ask about other candidates only where fewer than the budget are abstentions.
    """

    strategy: PluginChoice
    budget: int = Field(20, ge=1)
    abstentions_first: bool = False


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    embeddings: Path,
    labels: Path,
    ledger: Path,
    model: Path,
    queries: Path,
    tasks: Path,
    gallery: Path,
    suspects: Path,
) -> dict[str, float]:
    """Write the questions as a table, as tasks for a labeling tool and as a page; none when the pool is exhausted.

    The page, and the table `suspects`, also name labels worth a second look; nothing is taken from the labels in force.
    What people could not name, as the ledger says, is not asked about again.
    An abstention is a sample whose prediction set is not one class; they are counted, and their questions say so.
    """
    classifier, frame = load_classifier(model), read_manifest(manifest, ["id", "path", "split", "sha256"])
    known, store = read_labels(labels).vouched, open_samples(samples)
    modality, train = build_modality(store.about.modality), positions_of(frame, "train")
    labeled = rows_of(known.ids, frame["id"], str(labels))
    candidates = np.setdiff1d(train[~frame["id"].iloc[train].isin(passed_over(ledger))], labeled)
    strategy = build_strategy(params.strategy, classifier.spec.dropout, where="select.strategy")
    pool = _pool(params, strategy, embeddings, classifier, store, labeled, candidates)
    chosen, why, note = _questions(params, strategy, pool, classifier.spec.sets)
    cards = _with_marks(_cards(chosen, pool, why, frame, store, known, classifier.spec.sets), classifier, known)
    _write_queries(queries, cards)
    _write_tasks(tasks, cards, modality, frame)
    _write_suspects(suspects, doubts := _doubts(pool.vectors, train, labeled, known, frame, store))
    write_gallery(
        gallery,
        cards,
        modality,
        doubts=doubts,
        classes=known.classes,
        strategy=params.strategy.name,
        note=note,
        pool=len(candidates),
        labels=len(labeled),
    )
    return {**_figures(pool, chosen, classifier.spec.sets), "labels_suspect": len(doubts)}


def build_strategy(choice: PluginChoice, dropout: float, *, where: str) -> QueryStrategy:
    """The strategy, for a model that was trained with so much dropout.

    Raises WinnowError where there was none and the strategy asks what the model says under dropout.
    """
    strategy: QueryStrategy = build("query_strategy", choice, where=where)
    if strategy.draws and not dropout:
        raise WinnowError(
            f"{where} '{choice.name}' asks a model that was trained with dropout: set finetune.method: "
            "{name: full, dropout: 0.2}, or choose another strategy."
        )
    return strategy


def _pool(
    params: Params,
    strategy: QueryStrategy,
    embeddings: Path,
    classifier: Classifier,
    store: Store,
    labeled: Positions,
    candidates: Positions,
) -> Pool:
    """The pool by manifest positions, with what the model says of the candidates (0 of all others)."""
    vectors, spec = open_vectors(embeddings), classifier.spec
    probabilities = np.zeros((len(vectors), len(spec.classes)), np.float32)
    kept = None
    if strategy.draws:
        generator = torch_generator(params.seed, "select", "dropout")
        kept = dropout_masks(strategy.draws, spec.encoder.width, spec.dropout, generator)
    known = known_vectors(classifier, embeddings)
    seen = observe(classifier, store, candidates, features=strategy.needs_features, kept=kept, vectors=known)
    probabilities[candidates] = seen.probabilities
    return Pool(vectors, labeled, candidates, probabilities, seen.features, seen.draws)


def _questions(
    params: Params, strategy: QueryStrategy, pool: Pool, sets: PredictionSets | None
) -> tuple[Positions, str, str]:
    """The questions, why each is asked, and what is to be said of the strategy; no question where nothing is left."""
    if not len(pool.candidates):
        return pool.candidates, strategy.why, ""
    strategy, note = strategy.settle(pool)
    if note:
        print(f"  select: {note}", file=sys.stderr)
    first = _abstained(pool, pool.candidates, sets) & params.abstentions_first
    return _ask(strategy, pool, params.budget, first, torch_generator(params.seed, "select")), strategy.why, note


def _ask(strategy: QueryStrategy, pool: Pool, budget: int, first: Flags, generator: torch.Generator) -> Positions:
    """The questions: among the candidates that are `first` `(M,)`, and where these are too few, all of them and others.

    The others are chosen as if the first were labeled already.
    """
    if not 0 < first.sum() < len(first):
        return strategy.query(pool, budget, generator)
    chosen = strategy.query(_narrowed(pool, first), budget, generator)
    if len(chosen) == budget:
        return chosen
    rest = replace(_narrowed(pool, ~first), labeled=np.union1d(pool.labeled, chosen))
    return np.concatenate([chosen, strategy.query(rest, budget - len(chosen), generator)])


def _narrowed(pool: Pool, kept: Flags) -> Pool:
    """The pool with fewer candidates, `kept` `(M,)`."""
    return replace(
        pool,
        candidates=pool.candidates[kept],
        features=None if pool.features is None else pool.features[kept],
        draws=None if pool.draws is None else pool.draws[:, kept],
    )


def _figures(pool: Pool, chosen: Positions, sets: PredictionSets | None) -> dict[str, float]:
    candidates = pool.candidates
    return {
        "queries": len(chosen),
        "pool": len(candidates),
        "pool_exhausted": int(not len(candidates)),
        **_abstentions(pool, candidates, chosen, sets),
        "mean_query_confidence": _mean_confidence(pool, chosen),
        "mean_pool_confidence": _mean_confidence(pool, candidates),
    }


def _abstentions(pool: Pool, candidates: Positions, chosen: Positions, sets: PredictionSets | None) -> dict[str, float]:
    """How many prediction sets of the candidates, and of the questions, are not one class."""
    if sets is None:
        return {}
    counts = [int(_abstained(pool, rows, sets).sum()) for rows in (candidates, chosen)]
    return {"pool_abstained": counts[0], "queries_abstained": counts[1]}


def _abstained(pool: Pool, rows: Positions, sets: PredictionSets | None) -> Flags:
    """`(R,)`: is the prediction set not one class; where there are no sets, no row abstains."""
    if sets is None:
        return np.zeros(len(rows), bool)
    assert pool.probabilities is not None
    return np.asarray(members(pool.probabilities[rows], sets).sum(1) != 1)


def _cards(
    chosen: Positions,
    pool: Pool,
    why: str,
    frame: pd.DataFrame,
    store: Store,
    known: Labels,
    sets: PredictionSets | None,
) -> list[Card]:
    if not len(chosen):
        return []
    assert pool.probabilities is not None
    examples = _nearest_labels(chosen, pool, store, known)
    cards = []
    for row, position in enumerate(chosen.tolist()):
        probabilities = pool.probabilities[position]
        order = np.argsort(-probabilities, kind="stable").tolist()
        classes = [(known.classes[k], float(probabilities[k])) for k in order]
        cards.append(
            Card(
                id=str(frame["id"].iloc[position]),
                path=str(frame["path"].iloc[position]),
                rank=row + 1,
                reason=reason(why, classes),
                classes=classes,
                sample=store.record(position),
                nearest=examples[row],
                undecided=_undecided(probabilities, known.classes, sets) if sets else None,
            )
        )
    return cards


def _undecided(probabilities: Floats, classes: list[str], sets: PredictionSets) -> str | None:
    inside = members(probabilities[None], sets)[0]
    return undecided([classes[k] for k in np.argsort(-probabilities, kind="stable").tolist() if inside[k]], sets)


def _with_marks(cards: list[Card], classifier: Classifier, known: Labels) -> list[Card]:
    """Each with the parts that decided the guess, where the kind of data has parts."""
    guesses = [known.classes.index(card.guess) for card in cards]
    marks = decisive_parts(classifier, [card.sample for card in cards], guesses)
    return [replace(card, marks=found) for card, found in zip(cards, marks, strict=True)]


def _nearest_labels(chosen: Positions, pool: Pool, store: Store, known: Labels) -> list[Example | None]:
    """Of each question the labeled sample most like it; None where only rules have spoken."""
    if not len(pool.labeled):
        return [None] * len(chosen)
    similarities, closest = nearest(unit(pool.vectors, chosen), unit(pool.vectors, pool.labeled))
    return [
        Example(
            store.record(pool.labeled[twin]), known.classes[int(known.distributions[twin].argmax())], float(likeness)
        )
        for twin, likeness in zip(closest.tolist(), similarities.tolist(), strict=True)
    ]


def _doubts(
    vectors: Floats, train: Positions, labeled: Positions, known: Labels, frame: pd.DataFrame, store: Store
) -> list[Doubt]:
    found = find_suspects(vectors[train], np.searchsorted(train, labeled), known)
    return [
        Doubt(
            id=known.ids[suspect.row],
            path=str(frame["path"].iloc[labeled[suspect.row]]),
            sample=store.record(labeled[suspect.row]),
            given=known.classes[suspect.given],
            source=known.sources[suspect.row],
            said=known.classes[suspect.said],
            confidence=suspect.said_probability,
        )
        for suspect in found
    ]


def _write_suspects(path: Path, doubts: list[Doubt]) -> None:
    rows = [(one.id, one.path, one.given, one.source, one.said, f"{one.confidence:.6f}") for one in doubts]
    write_text(path, to_csv(SUSPECT_COLUMNS, rows))


def _write_queries(path: Path, cards: list[Card]) -> None:
    rows = [(one.id, one.path, one.rank, one.guess, f"{one.confidence:.6f}", one.reason) for one in cards]
    write_text(path, to_csv(COLUMNS, rows))


def _write_tasks(path: Path, cards: list[Card], modality: Modality, frame: pd.DataFrame) -> None:
    """Tasks of Label Studio."""
    hashes = dict(zip(frame["id"], frame["sha256"], strict=True))
    tasks = []
    for card in cards:
        task = labeling_task(modality, card.sample, (card.id, hashes[card.id], card.path), card.guess, card.confidence)
        tasks.append({**task, "data": {**task["data"], "rank": card.rank, "reason": card.reason}})
    write_text(path, json.dumps(tasks, indent=2, sort_keys=True) + "\n")


def _mean_confidence(pool: Pool, positions: Positions) -> float:
    assert pool.probabilities is not None
    return float(pool.probabilities[positions].max(1).mean()) if len(positions) else 0.0
