"""Each joint-embedding method with its safeguard taken out, beside itself: do the health figures see the collapse?

`python -m benchmarks.collapse`: digits, `--minutes` of CPU time a training, a row for each of the two; `--seeds`
chooses, `--save` keeps the figures for docs/methods.md.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import DIGITS
from benchmarks.self_supervised import PREPARED, RESULTS, Task
from components.core import seeds
from components.judging.collapse import shrunk
from components.judging.health import HEALTH
from components.methods.contracts import Batch, StepOutput, TrainableMethod
from components.methods.self_supervised.deep_cluster import DeepCluster
from components.training.inference import embed_all
from components.training.pretraining import watch, watched
from components.training.trial import run_trial
from pipelines.inline import run_stages


def _no_negatives(method: Any) -> None:
    def step(batch: Batch) -> StepOutput:
        outputs = [F.normalize(method.head(method.encoder(view)).float(), dim=1) for view in batch.views]
        return StepOutput(-(outputs[0] * outputs[1]).sum(1).mean())

    method.training_step = step


def _no_predictor(method: Any) -> None:
    method.predictor, method.head[1], method.momentum = nn.Identity(), nn.Identity(), 0.0
    method.teacher.network[1][1] = nn.Identity()


def _no_variance(method: Any) -> None:
    method.config = method.config.model_copy(update={"variance": 0.0, "covariance": 0.0})


def _no_redundancy(method: Any) -> None:
    method.redundancy = 0.0


def _no_spreading(method: Any) -> None:
    def codes(scores: Tensor, outputs: Tensor) -> Tensor:
        return F.softmax(scores / method.config.epsilon, dim=2)

    method._codes = codes


def _no_clustering(method: Any) -> None:
    def one(vectors: Callable[[], Tensor], generator: torch.Generator) -> None:
        """Every picture in the same of all clusters, as when empty ones are left empty and the loss is not weighted."""
        if not len(method.assignment):
            DeepCluster.before_epoch(method, vectors, generator)
            method.assignment = torch.zeros_like(method.assignment)
            method.weights = torch.ones_like(method.weights)

    method.before_epoch = one


def _no_centering(method: Any) -> None:
    step = method.training_step

    def uncentered(batch: Batch) -> StepOutput:
        method.center.zero_()
        output: StepOutput = step(batch)
        return output

    method.training_step = uncentered


SAFEGUARDS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "simclr": ("negatives", _no_negatives),
    "moco": ("negatives and queue", _no_negatives),
    "nnclr": ("negatives and queue", _no_negatives),
    "byol": ("predictor, batch norm of the head, slow teacher", _no_predictor),
    "vicreg": ("variance and covariance terms", _no_variance),
    "barlow_twins": ("redundancy term", _no_redundancy),
    "swav": ("Sinkhorn's even spreading", _no_spreading),
    "dino": ("centering", _no_centering),
    "deep_cluster": ("reassignment: all pictures in one cluster", _no_clustering),
}


def main() -> None:
    """Print a line per method."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collapse", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.2)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    seeds.deterministic(2)
    kept: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        run_stages(PREPARED, Path(folder), settings(**DIGITS))
        task = Task(Path(folder) / "data")
        for name, (safeguard, remove) in SAFEGUARDS.items():
            kept[name] = {"safeguard": safeguard, "minutes": asked.minutes}
            for state, change in (("sound", lambda method: None), ("removed", remove)):
                runs = [_trained(task, name, asked.minutes, seed, change) for seed in asked.seeds]
                kept[name][state] = runs
            print(json.dumps({name: kept[name]}), flush=True)
            if asked.save:
                keep(RESULTS / "collapse_digits.json", [name], kept[name])


def _trained(task: Task, name: str, minutes: float, seed: int, change: Callable[[Any], None]) -> dict[str, Any]:
    """Health at the end as the pretrain stage watches it, what it would say, and what k-NN makes of the vectors."""
    seen = watched(task.corpus, 0)

    def build() -> TrainableMethod:
        method = task.method(name, seed)
        change(method)
        return method

    method, trial = run_trial(
        build,
        task.corpus,
        task.loop,
        minutes * 60,
        seed=seed,
        watch=lambda method: watch(method, seen, torch.device("cpu"), 0),
    )
    last = trial.history[-1]
    figures = {figure: round(last[figure], 4) for figure in HEALTH if figure in last}
    vectors = embed_all(method.encoder, task.corpus.views.plain, task.corpus.samples)
    return {**figures, "caught": bool(shrunk(figures)), "knn": task.probed(vectors)["knn"]}


if __name__ == "__main__":
    main()
