"""`winnow plan`: how many labels, and hours of people, a wanted accuracy still takes, by the labels that there are."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from components.core.config import block, read_params
from components.core.errors import WinnowError
from components.core.files import read_json, write_text
from components.core.stage_settings import top_settings
from components.datasets.labels import read_labels
from components.datasets.ledger import in_force, read_ledger
from components.datasets.manifest import read_manifest, rows_of
from components.datasets.vectors import open_vectors
from components.judging.label_kernel import HeadKernel, LabelKernel, PropagationKernel
from components.judging.learning_curve import CONFIDENCE, FAR, LearningCurve, measure_curve
from components.methods.contracts import Graph, Positions
from components.pages.forecast import draw_forecast

RESULTS = Path("data/plan")
LABELS, LEDGER, METRICS = (
    Path("data/label/labels.parquet"),
    Path("data/labels/ledger.csv"),
    Path("data/evaluate/metrics.json"),
)
MANIFEST, VECTORS, NEIGHBORS = (
    Path("data/ingest/manifest.parquet"),
    Path("data/embed/embeddings.npy"),
    Path("data/embed/neighbors.npz"),
)
FEWEST = 20  # labels that a curve can be drawn through
LARGEST = 100_000_000  # numbers that the graph's solution may hold


@dataclass(frozen=True)
class _Known:
    """positions: `(L,)` of the labels in the manifest; classes: `(L,)`; ids: as the label stage has them; pool: how
    many samples there are to label, with those that are.
    """

    ids: list[str]
    positions: Positions
    classes: Positions
    pool: int


@dataclass(frozen=True)
class _Have:
    labels: int
    pool: int

    def count(self, number: float) -> str:
        """Of labels, in all or more."""
        most = min(FAR * self.labels, self.pool)
        if number <= most:
            return f"{math.ceil(number):,}"
        return f"more than the {self.pool:,} samples there are" if most == self.pool else f"more than {most:,}"


def plan_labels(target: float, seconds: float | None) -> None:
    """Print what the target takes, and draw it. seconds: of a label; None: what the ledger's `cost` says.

    Raises WinnowError for a target that cannot be, before there are labels and vectors, and for too few labels.
    """
    if not 0 < target < 1:
        raise WinnowError(f"--target is {target:g}: it is an accuracy, between 0 and 1, such as 0.95.")
    if seconds is not None and not (0 < seconds < math.inf):
        raise WinnowError(f"--seconds is {seconds:g}: it is what one label takes a person, above 0.")
    known = _known()
    seed = top_settings(read_params()).seed
    curve, kernel, learner = _curve(known, seed)
    rounds = _rounds(known, kernel)
    picture = RESULTS / "curve.png"
    draw_forecast(picture, curve, labels=len(known.ids), target=target, rounds=rounds)
    each = seconds if seconds is not None else _seconds()
    rows = _rows(target, curve, _Have(len(known.ids), known.pool), each)
    write_text(RESULTS / "plan.json", json.dumps(dict(rows), indent=2) + "\n")
    print(f"from {len(known.ids)} labels, by {learner} on frozen vectors; no test label was looked at")
    print("\n".join(f"  {name:<16}{text}" for name, text in [*rows, ("picture", str(picture))]))


def _known() -> _Known:
    for path in (LABELS, VECTORS, NEIGHBORS, MANIFEST):
        if not path.is_file():
            raise WinnowError(f"{path} is missing: run `winnow repro`, which makes labels and vectors.")
    labels = read_labels(LABELS).vouched
    classes = labels.distributions.argmax(1).astype(np.int64)
    if len(labels.ids) < FEWEST or len(np.unique(classes)) < 2:
        raise WinnowError(
            f"{len(labels.ids)} labels of {len(np.unique(classes))} classes are too few to plan by: label {FEWEST} at "
            "least, of two classes."
        )
    listing = read_manifest(MANIFEST, ["id", "split"])
    pool = int((listing["split"] == "train").sum())
    return _Known(labels.ids, rows_of(labels.ids, listing["id"], str(LABELS)), classes, pool)


def _curve(known: _Known, seed: int) -> tuple[LearningCurve, LabelKernel, str]:
    """That of what learns more from all labels but a few: the pipeline too ships what labels speak for."""
    vectors = open_vectors(VECTORS)
    head = HeadKernel(np.asarray(vectors[known.positions]))
    tried: list[tuple[LearningCurve, LabelKernel, str]] = [
        (measure_curve(head, known.classes, seed=seed), head, "a linear head")
    ]
    with np.load(NEIGHBORS, allow_pickle=False) as found:
        place = {position: row for row, position in enumerate(found["positions"].tolist())}
        if len(place) * len(known.ids) <= LARGEST:
            graph = Graph(found["indices"], found["similarities"])
            flow = PropagationKernel(graph, np.array([place[one] for one in known.positions.tolist()]))
            tried.append((measure_curve(flow, known.classes, seed=seed), flow, "label propagation"))
    return max(tried, key=lambda one: float(one[0].accuracy[-1]))


def _rounds(known: _Known, kernel: LabelKernel) -> list[tuple[int, float]]:
    """Of the ledger's rounds: how many labels there were after each, and the accuracy these have on the later ones."""
    rows = in_force(read_ledger(LEDGER))
    when = rows.groupby("id")["round"].min().to_dict()
    round_of = np.array([when.get(one, -1) for one in known.ids])  # -1: the data came with it
    every, targets = np.arange(len(known.ids)), np.eye(int(known.classes.max()) + 1)[known.classes]
    found = []
    for number in np.unique(round_of)[:-1].tolist():
        first, later = every[round_of <= number], every[round_of > number]
        right = kernel.says(first, later, targets).argmax(1) == known.classes[later]
        found.append((len(first), float(right.mean())))
    return found


def _seconds() -> float | None:
    """The median of what the ledger's rows say that a label took; None where they do not."""
    costs: pd.Series[float] = read_ledger(LEDGER)["cost"]
    paid = costs[costs > 0]
    return float(paid.median()) if len(paid) else None


def _rows(target: float, curve: LearningCurve, have: _Have, seconds: float | None) -> list[tuple[str, str]]:
    labels = have.labels
    now, next_ = curve.at(labels), int(block(read_params(), "select").get("budget") or FEWEST)
    middle, low, high = curve.needed(target)
    more = [max(0.0, one - labels) for one in (middle, low, high)]
    never = f"not reached with the {have.pool:,} samples there are"
    rows = [
        ("now", f"{now[0]:.3f} ({now[1]:.3f} to {now[2]:.3f})"),
        (
            f"for {target:g}",
            f"{have.count(middle)} labels in all ({have.count(low)} to {have.count(high)})"
            if low <= have.pool
            else never,
        ),
        ("still to label", _still(more, have) if low <= have.pool else never),
    ]
    if seconds is not None and more[0]:
        most = min(FAR * labels, have.pool)
        told = [f"{one * seconds / 3600:.1f}" if one + labels <= most else "no end" for one in more]
        rows.append(("hours", f"{told[0]} ({told[1]} to {told[2]}), at {seconds:g} seconds a label"))
    gain = curve.at(labels + next_)[0] - now[0]
    rows.append((f"the next {next_}", f"{100 * gain:+.1f} points: stop where that is not worth them"))
    if METRICS.is_file():
        measured = float(read_json(METRICS)["accuracy"])
        above = ": more than frozen vectors tell, so fewer labels may do" if measured > now[2] else ""
        reached = (
            f": it has reached {target:g} already, so no label is needed for that" if measured >= target else above
        )
        rows.append(("the model", f"{measured:.3f} on the test split, which the plan has not seen{reached}"))
    rows.append(("interval", f"meant to hold in {CONFIDENCE:.0%} of cases; docs/answering.md says how often it did"))
    return rows


def _still(more: list[float], have: _Have) -> str:
    if not more[0]:
        return "none, as far as these labels tell" + (f" (up to {have.count(more[2])})" if more[2] else "")
    return f"{have.count(more[0])} ({have.count(more[1])} to {have.count(more[2])})"
