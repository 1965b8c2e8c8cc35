"""How often the interval of `winnow plan` holds: accuracy at more labels, and labels that a target takes, on digits.

`python -m benchmarks.labels_needed` (`--labels`, `--seeds` choose). The vectors are the pixels themselves, so that no
encoder's luck is in it; labels are drawn at random, the truth is the mean over draws of as many labels.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from components.judging.label_kernel import PropagationKernel
from components.judging.learning_curve import LearningCurve, measure_curve
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import PoolTask
from components.methods.semi_supervised.label_propagation import LabelPropagation

AHEAD = (1, 2, 4)  # times the labels there are
SIZES = (20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)
TARGETS = (0.9, 0.95)
DRAWS, NEIGHBORS = 12, 15
Floats = npt.NDArray[np.float32]


def main() -> None:
    """Print a line for each number of labels and seed, then how often each interval held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels_needed", description=__doc__)
    parser.add_argument("--labels", type=_numbers, default=[40, 80, 160])
    parser.add_argument("--seeds", type=_numbers, default=list(range(5)))
    asked = parser.parse_args()
    digits = load_digits()
    vectors, classes = digits.data.astype(np.float32), digits.target.astype(np.int64)
    graph = neighbor_graph(vectors, NEIGHBORS, seed=0)
    truth = [_accuracy(PoolTask(vectors, graph, np.empty(0), np.empty(0), 0), classes, size) for size in SIZES]
    print("truth:", ", ".join(f"{size} labels {value:.4f}" for size, value in zip(SIZES, truth, strict=True)))
    held: dict[str, list[bool]] = {}
    for labels in asked.labels:
        for seed in asked.seeds:
            some = np.random.default_rng([7, seed, labels]).permutation(len(classes))[:labels]
            curve = measure_curve(PropagationKernel(graph, some), classes[some], seed=seed)
            for name, (middle, low, high), right in _questions(curve, labels, truth):
                held.setdefault(f"{labels} labels, {name}", []).append(low <= right <= high)
                print(
                    f"{labels} labels, seed {seed}, {name}: {middle:.4g} ({low:.4g} to {high:.4g}), truth {right:.4g}"
                )
    for name, hits in held.items():
        print(f"| {name} | {sum(hits)} of {len(hits)} |")


def _questions(
    curve: LearningCurve, labels: int, truth: Sequence[float]
) -> list[tuple[str, tuple[float, float, float], float]]:
    """What is foretold, with its interval, and what is true."""
    at = [
        (
            f"accuracy at {times} x",
            curve.at(times * labels),
            float(np.interp(np.log(times * labels), np.log(SIZES), truth)),
        )
        for times in AHEAD
    ]
    needed = [
        (f"labels for {target}", curve.needed(target), float(np.exp(np.interp(target, truth, np.log(SIZES)))))
        for target in TARGETS
        if target < truth[-1]
    ]
    return [*at, *needed]


def _accuracy(pool: PoolTask, classes: npt.NDArray[np.int64], size: int) -> float:
    """Of label propagation on all other samples: the mean over draws of so many labels."""
    method, targets = LabelPropagation(LabelPropagation.Config.model_validate({})), np.eye(10, dtype=np.float32)
    found = []
    for draw in range(DRAWS):
        known = np.random.default_rng([8, size, draw]).permutation(len(classes))[:size]
        task = PoolTask(pool.vectors, pool.graph, known, targets[classes[known]], 0)
        others = np.setdiff1d(np.arange(len(classes)), known)
        found.append((method.pseudo_label(task).argmax(1) == classes)[others].mean())
    return float(np.mean(found))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
