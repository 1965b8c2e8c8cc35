"""How often the interval of `winnow plan` holds: accuracy at more labels, and labels that a target takes.

`python -m benchmarks.labels_needed` (`--labels`, `--seeds`, `--targets` choose), on digits, or on part of Fashion-MNIST
by `--fashion FOLDER`, where its files are. Vectors are the pixels themselves (of Fashion-MNIST their first principal
components), so that no encoder's luck is in it; labels are drawn at random. The truth is what label propagation reaches
on all other samples with these labels and more that are drawn at random, the mean over draws.
"""

import argparse
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from components.judging.label_kernel import PropagationKernel
from components.judging.learning_curve import LearningCurve, measure_curve
from components.judging.neighbors import neighbor_graph
from components.methods.contracts import Graph, PoolTask, Positions
from components.methods.semi_supervised.label_propagation import LabelPropagation

AHEAD = (1, 2, 4)  # times the labels there are
SIZES = (1, 1.5, 2, 3, 4, 6, 8)  # at which the truth is measured, likewise
TARGETS = (0.95, 0.97, 0.98)
DRAWS, NEIGHBORS = 4, 15
SOME, COMPONENTS = 3000, 50  # samples of Fashion-MNIST, and numbers of each
Floats = npt.NDArray[np.float32]


def main() -> None:
    """Print a line for each number of labels and seed, then how often each interval held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels_needed", description=__doc__)
    parser.add_argument("--labels", type=_numbers, default=[40, 80, 160])
    parser.add_argument("--seeds", type=_numbers, default=list(range(5)))
    parser.add_argument("--targets", type=lambda text: [float(one) for one in text.split(",")], default=TARGETS)
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST's files, in place of digits")
    asked = parser.parse_args()
    vectors, classes = _fashion(asked.fashion) if asked.fashion else _digits()
    graph = neighbor_graph(vectors, NEIGHBORS, seed=0)
    held: dict[str, list[bool]] = {}
    for labels in asked.labels:
        for seed in asked.seeds:
            order = np.random.default_rng([7, seed, labels]).permutation(len(classes))
            truth = [_accuracy(vectors, graph, classes, order, labels, round(size * labels)) for size in SIZES]
            curve = measure_curve(PropagationKernel(graph, order[:labels]), classes[order[:labels]], seed=seed)
            for name, (middle, low, high), right in _questions(curve, labels, truth, asked.targets):
                held.setdefault(f"{labels} labels, {name}", []).append(low <= right <= high)
                told = f"{middle:.4g} ({low:.4g} to {high:.4g}), truth {right:.4g}"
                print(f"{labels} labels, seed {seed}, {name}: {told}", flush=True)
    for name, hits in held.items():
        print(f"| {name} | {sum(hits)} of {len(hits)} |")


def _digits() -> tuple[Floats, Positions]:
    digits = load_digits()
    return digits.data.astype(np.float32), digits.target.astype(np.int64)


def _fashion(folder: Path) -> tuple[Floats, Positions]:
    """The first training samples, as they stand there."""
    pixels, classes = (
        np.frombuffer(gzip.decompress((folder / f"train-{name}-ubyte.gz").read_bytes()), np.uint8, offset=offset)
        for name, offset in (("images-idx3", 16), ("labels-idx1", 8))
    )
    flat = pixels.reshape(len(classes), -1)[:SOME].astype(np.float32) / 255
    _, _, axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    return np.ascontiguousarray((flat - flat.mean(0)) @ axes[:COMPONENTS].T), classes[:SOME].astype(np.int64)


def _questions(
    curve: LearningCurve, labels: int, truth: Sequence[float], targets: Sequence[float]
) -> list[tuple[str, tuple[float, float, float], float]]:
    """What is foretold, with its interval, and what is true; targets that are reached already are none."""
    at = [(f"accuracy at {times} x", curve.at(times * labels), truth[SIZES.index(times)]) for times in AHEAD]
    needed = [
        (f"labels for {target}", curve.needed(target), labels * float(np.exp(np.interp(target, truth, np.log(SIZES)))))
        for target in targets
        if truth[0] < target < truth[-1]
    ]
    return [*at, *needed]


def _accuracy(vectors: Floats, graph: Graph, classes: Positions, order: Positions, labels: int, size: int) -> float:
    """Of label propagation from the first `labels` of `order` and others, `size` in all, on the rest: mean of draws."""
    method, targets = LabelPropagation(LabelPropagation.Config.model_validate({})), np.eye(10, dtype=np.float32)
    found = []
    for draw in range(DRAWS if size > labels else 1):
        more = np.random.default_rng([8, size, draw]).permutation(order[labels:])[: size - labels]
        known = np.concatenate([order[:labels], more])
        task = PoolTask(vectors, graph, known, targets[classes[known]], 0)
        others = np.setdiff1d(np.arange(len(classes)), known)
        found.append((method.pseudo_label(task).argmax(1) == classes)[others].mean())
    return float(np.mean(found))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
