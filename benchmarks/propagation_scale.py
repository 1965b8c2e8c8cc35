"""Label propagation at a million: seconds and memory of the graph and of the sweeps, beside scikit-learn's.

`python -m benchmarks.propagation_scale` (`--sizes 60000`, `--save` keeps the figures for docs/methods.md). 128 numbers
a sample, 10 classes, 100 labels, 15 neighbors; each part in a process of its own, whose peak memory is all it held.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._pipeline import keep
from benchmarks.self_supervised import RESULTS, memory
from components.core import seeds
from components.judging.neighbors import neighbor_graph, recall
from components.methods.contracts import Graph, PoolTask
from components.methods.neighbor_graph import by_cell, kernel, reordered
from components.methods.semi_supervised.label_propagation import LabelPropagation, propagate

SIZES, THREADS, DIM, CLASSES, LABELS, NEIGHBORS = (60_000, 1_000_000), 2, 128, 10, 100, 15
SWEEPS, MOST = 30, 100
MODES, LATENT, HIDDEN, SPREAD, BLOCK = 4, 16, 256, 1.5, 50_000
PATH = RESULTS / "propagation_scale.json"
SKLEARN_UP_TO = 60_000  # its exact graph takes time by the square of the size: hours for a million
HEADER = [
    "| samples | part | seconds | CPU seconds | peak MB | recall of the graph | accuracy |",
    "|---|---|---|---|---|---|---|",
]
TITLES = {
    "graph": "graph",
    "sweeps": f"{SWEEPS} sweeps",
    "method": f"the whole method, up to {MOST} sweeps",
    "sklearn": "LabelSpreading",
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.propagation_scale", description=__doc__)
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")], default=list(SIZES))
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    parser.add_argument("--one", choices=sorted(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        seeds.deterministic(THREADS)
        print(json.dumps(_measured(PARTS[asked.one], asked.folder)))
        return
    print("\n".join(HEADER))
    for size in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_data(Path(folder), size)
            for part in PARTS:
                if part == "sklearn" and size > SKLEARN_UP_TO:
                    continue
                figures = _child(part, Path(folder))
                print(row(size, part, figures), flush=True)
                if asked.save:
                    keep(PATH, [size, part], figures)


def row(size: int | str, part: str, figures: dict[str, float]) -> str:
    """One line of the table."""
    cells = [f"{int(size):,}", TITLES[part], f"{figures['seconds']:.1f}", f"{figures['cpu_seconds']:.1f}"]
    cells += [f"{figures['peak_megabytes']:,.0f}"]
    cells += [f"{figures[name]:.3f}" if name in figures else "" for name in ("recall", "accuracy")]
    return f"| {' | '.join(cells)} |"


def write_data(folder: Path, size: int) -> None:
    """Vectors and classes: each class some normal modes in 16 dimensions, bent into 128 by a random network."""
    generator = np.random.default_rng(0)
    modes = SPREAD * generator.normal(size=(CLASSES * MODES, LATENT))
    first = generator.normal(size=(LATENT, HIDDEN)) / (2 * LATENT**0.5)
    second = generator.normal(size=(HIDDEN, DIM)) / HIDDEN**0.5
    mode = generator.integers(CLASSES * MODES, size=size)
    vectors = np.empty((size, DIM), np.float32)
    for start in range(0, size, BLOCK):
        own = mode[start : start + BLOCK]
        codes = modes[own] + generator.normal(size=(len(own), LATENT))
        vectors[start : start + BLOCK] = np.tanh(codes @ first) @ second
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "classes.npy", mode // MODES)


def _child(part: str, folder: Path) -> dict[str, float]:
    line = [sys.executable, "-m", "benchmarks.propagation_scale", "--one", part, "--folder", str(folder)]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _measured(part: Callable[[Path], Callable[[], dict[str, Any]]], folder: Path) -> dict[str, Any]:
    """What is prepared is not timed, but counts in memory; what is judged afterwards counts in neither."""
    timed = part(folder)
    wall, cpu = time.perf_counter(), time.process_time()
    result = timed()
    seconds, cpu_seconds, peak = time.perf_counter() - wall, time.process_time() - cpu, memory("VmHWM")
    figures = {name: judged() for name, judged in result.items()}
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_megabytes": peak, **figures}


def _graph(folder: Path) -> Callable[[], dict[str, Any]]:
    vectors = np.load(folder / "vectors.npy")

    def timed() -> dict[str, Any]:
        graph = neighbor_graph(vectors, NEIGHBORS, seed=0)
        np.savez(folder / "graph.npz", indices=graph.indices, similarities=graph.similarities)
        return {"recall": lambda: recall(vectors, graph, seed=0)}

    return timed


def _task(folder: Path) -> tuple[PoolTask, npt.NDArray[np.int64]]:
    classes = np.load(folder / "classes.npy")
    with np.load(folder / "graph.npz") as file:
        graph = Graph(file["indices"], file["similarities"])
    labeled = np.random.default_rng(1).permutation(len(classes))[:LABELS]
    targets = np.eye(CLASSES, dtype=np.float32)[classes[labeled]]
    return PoolTask(np.load(folder / "vectors.npy"), graph, labeled, targets, seed=0), classes


def _sweeps(folder: Path) -> Callable[[], dict[str, Any]]:
    """So many products of the weights with the masses of all classes, after the samples have been put in order."""
    task, classes = _task(folder)
    order = by_cell(task.vectors, task.seed)
    weights = kernel(reordered(task.graph, order), NEIGHBORS, LabelPropagation.Config().bandwidth)

    def timed() -> dict[str, Any]:
        masses = propagate(weights, np.argsort(order)[task.labeled], task.targets, tolerance=1e-30, sweeps=SWEEPS)
        return {"accuracy": lambda: float((masses.argmax(1) == classes[order]).mean())}

    return timed


def _method(folder: Path) -> Callable[[], dict[str, Any]]:
    """Order, kernel, and sweeps until they settle, or `MOST`: with its default of 1,000 a million take many minutes."""
    task, classes = _task(folder)

    def timed() -> dict[str, Any]:
        made = LabelPropagation(LabelPropagation.Config(neighbors=NEIGHBORS, sweeps=MOST)).pseudo_label(task)
        return {"accuracy": lambda: float((made.argmax(1) == classes).mean())}

    return timed


def _sklearn(folder: Path) -> Callable[[], dict[str, Any]]:
    """Its graph and its 30 sweeps are one call."""
    from sklearn.semi_supervised import LabelSpreading

    task, classes = _task(folder)
    known = np.full(len(classes), -1)
    known[task.labeled] = task.targets.argmax(1)
    model = LabelSpreading(kernel="knn", n_neighbors=NEIGHBORS, max_iter=SWEEPS, n_jobs=THREADS)

    def timed() -> dict[str, Any]:
        model.fit(task.vectors, known)
        return {"accuracy": lambda: float((model.transduction_ == classes).mean())}

    return timed


PARTS = {"graph": _graph, "sweeps": _sweeps, "method": _method, "sklearn": _sklearn}

if __name__ == "__main__":
    main()
