"""The honest budget's guard: do pseudo-labels make a better model than the labels alone? If not, the control ships."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from components.training.metrics import mcnemar

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.int64]
CHANCE = 0.05  # two-sided


@dataclass(frozen=True)
class Verdict:
    """Which model ships, the kind of evidence, the figures of both models and one sentence for people.

    right: labels predicted right of `labels` (held out, or, by neighbors, the ones trained on); score: held-out mean
    Brier score, lower is better, or the modularity of the predictions, higher is better.
    """

    shipped: Literal["pseudo_labels", "control"]
    evidence: Literal["held_out_labels", "neighbors", "none"]
    why: str
    labels: int = 0
    folds: int = 0
    candidate_right: int = 0
    control_right: int = 0
    candidate_score: float | None = None
    control_score: float | None = None

    def record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return asdict(self)


def judge_held_out(candidate: Floats, control: Floats, actual: Integers, folds: Integers) -> Verdict:
    """Compare calibrated `(H, K)` probabilities of the held-out labels `actual` `(H,)`, each by its own fold's model.

    More labels right wins where the difference is beyond chance (exact McNemar test, p < `CHANCE`); otherwise the
    lower Brier score does, because a few labels more or less right say nothing where there are only dozens.
    """
    hits = [probabilities.argmax(axis=1) == actual for probabilities in (candidate, control)]
    right = [int(hit.sum()) for hit in hits]
    scores = [_brier(probabilities, actual) for probabilities in (candidate, control)]
    beyond_chance = mcnemar(hits[0], hits[1]) < CHANCE
    better = right[0] > right[1] if beyond_chance else scores[0] < scores[1]
    undecided = (
        f", which could be chance, so the Brier score decides: {scores[0]:.3f} against {scores[1]:.3f}"
        " (nearer to 0 is better)"
    )
    why = (
        f"{right[0]} of {len(actual)} held-out labels right with pseudo-labels and {right[1]} with labels alone"
        f"{'' if beyond_chance else undecided}."
    )
    return _verdict(better, "held_out_labels", why, actual, right, scores, folds=len(np.unique(folds)))


def judge_by_neighbors(
    candidate: Integers, control: Integers, neighbors: Integers, spread: Integers, labeled: Integers, actual: Integers
) -> Verdict:
    """Compare `(N,)` predicted classes where no label could be held out: label-free evidence, and weaker.

    The candidate ships if it keeps as many of the labels `actual` at rows `labeled` right as the control, its
    predictions have the higher `modularity` on the graph of nearest neighbors, and where the two disagree, the classes
    `spread` `(N,)`, which are the labels spread over that graph, are more often the candidate's.
    """
    right = [int((predicted[labeled] == actual).sum()) for predicted in (candidate, control)]
    scores = [modularity(predicted, neighbors) for predicted in (candidate, control)]
    apart = candidate != control
    sides = [int((predicted == spread)[apart].sum()) for predicted in (candidate, control)]
    why = (
        "no label could be held out, so on weaker evidence: predictions agree with their nearest neighbors' beyond "
        f"chance by {scores[0]:.3f} with pseudo-labels and {scores[1]:.3f} with labels alone, labels spread over "
        f"neighbors say the same as the one {sides[0]} times and as the other {sides[1]} times where they disagree, "
        f"and {right[0]} against {right[1]} of {len(actual)} given labels are kept."
    )
    better = right[0] >= right[1] and scores[0] > scores[1] and sides[0] > sides[1]
    return _verdict(better, "neighbors", why, actual, right, scores, folds=0)


def nothing_to_judge() -> Verdict:
    """No pseudo-label was accepted: both models would be the same."""
    return Verdict("control", "none", "The label-only control ships: no pseudo-label was accepted.")


def modularity(predicted: Integers, neighbors: Integers) -> float:
    """Share of neighbors with the same prediction, minus that share by chance (Newman & Girvan 2004); at most 1.

    predicted: `(N,)` classes; neighbors: `(N, k)` rows. A model that says one class for everything gets 0.
    """
    agreement = float((predicted[neighbors] == predicted[:, None]).mean())
    source = np.bincount(predicted) / len(predicted)
    target = np.bincount(predicted[neighbors].ravel(), minlength=len(source)) / neighbors.size
    return agreement - float(source @ target)


def _verdict(
    better: bool,
    evidence: Literal["held_out_labels", "neighbors"],
    why: str,
    actual: Integers,
    right: list[int],
    scores: list[float],
    *,
    folds: int,
) -> Verdict:
    return Verdict(
        shipped="pseudo_labels" if better else "control",
        evidence=evidence,
        why=f"{'Pseudo-labels ship' if better else 'The label-only control ships'}: {why}",
        labels=len(actual),
        folds=folds,
        candidate_right=right[0],
        control_right=right[1],
        candidate_score=scores[0],
        control_score=scores[1],
    )


def _brier(probabilities: Floats, actual: Integers) -> float:
    """Bounded, unlike the likelihood: among dozens of labels, one confident mistake must not decide alone."""
    truth = np.eye(probabilities.shape[1])[actual]
    return float(((probabilities.astype(np.float64) - truth) ** 2).sum(axis=1).mean())
