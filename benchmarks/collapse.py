"""Each joint-embedding method with its safeguard taken out, beside itself: do the health figures see the collapse?

`python -m benchmarks.collapse`: digits, `--minutes` of CPU time a training, a row for each of the two.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks._pipeline import settings
from benchmarks.few_labels import DIGITS
from benchmarks.self_supervised import PREPARED, RESULTS, Task
from components.core import seeds
from components.core.errors import WinnowError
from components.methods.contracts import Batch, StepOutput
from components.training.health import check
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
}


def main() -> None:
    """Print a line per run, and keep them all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collapse", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.25)
    asked = parser.parse_args()
    seeds.deterministic(2)
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        run_stages(PREPARED, Path(folder), settings(**DIGITS))
        task = Task(Path(folder) / "data")
        for name, (safeguard, remove) in SAFEGUARDS.items():
            rows = {"sound": _trained(task, name, asked.minutes, lambda method: None)}
            rows["removed"] = _trained(task, name, asked.minutes, remove)
            kept[name] = {"safeguard": safeguard, "minutes": asked.minutes, **rows}
            print(json.dumps({name: kept[name]}), flush=True)
    (RESULTS / "collapse_digits.json").write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def _trained(task: Task, name: str, minutes: float, change: Callable[[Any], None]) -> dict[str, Any]:
    """Health at the end, what k-NN makes of it, and whether the pretrain stage would have stopped."""
    from components.training.inference import embed_all

    build = task.method

    def changed(name: str, seed: int) -> Any:
        method = build(name, seed)
        change(method)
        return method

    with mock.patch.object(task, "method", changed):
        encoder, _ = task.trained(name, minutes, 0)
    figures: dict[str, Any] = task.health(encoder)
    try:
        check(figures)
        stopped = False
    except WinnowError:
        stopped = True
    vectors = embed_all(encoder, task.spec(encoder.dim), task.samples)
    return {**figures, "stopped": stopped, "knn": task.probed(vectors)["knn"]}


if __name__ == "__main__":
    main()
