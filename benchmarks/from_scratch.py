"""Photos without weights: what ships with the second control, and what would have shipped before there was one.

`python -m benchmarks.from_scratch --root FOLDER`, FOLDER being `train|val/<class>/*`; `--labels`, `--seeds`, `--size`,
`--epochs` (of pretraining), `--folds` choose. Accuracies are of the test split.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks._pipeline import settings
from benchmarks.few_labels import Rivals
from components.stages import finetune
from components.training.inference import predict
from pipelines.inline import LABELED, UNLABELED, Params, run_stages
from pipelines.photos import POLICIES


def main() -> None:
    """Run what the command line asks for; a line of JSON for each seed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.from_scratch", description=__doc__)
    parser.add_argument("--root", required=True, help="folder of the photos")
    for name, usual in (("labels", 200), ("size", 64), ("epochs", 4), ("folds", 5), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--seeds", type=lambda text: [int(one) for one in text.split(",")], default=[0, 1])
    asked = parser.parse_args()
    for seed in asked.seeds:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"seed": seed, **_run(asked, Path(folder), seed)}), file=sys.stderr, flush=True)


def _run(asked: argparse.Namespace, place: Path, seed: int) -> dict[str, Any]:
    made: list[Any] = []
    final = finetune._final

    def remember(*arguments: Any) -> Any:
        made.extend(final(*arguments))
        return made

    with mock.patch.object(finetune, "_final", remember):
        seconds = run_stages([*UNLABELED, *LABELED], place, _params(asked, seed))
    rivals = Rivals(place)
    before = {
        name: round(float((predict(model, rivals.samples, rivals.test).argmax(1) == rivals.truth).mean()), 4)
        for name, (model, _) in zip(("with pseudo-labels", "label-only control"), made, strict=True)
    }
    metrics, opinion = (
        json.loads((place / "data" / name).read_text())
        for name in ("evaluate/metrics.json", "finetune/second_control.json")
    )
    return {
        "before": before,
        "ships": metrics["shipped"],
        "after": round(metrics["accuracy"], 4),
        "simple": {name: round(row["accuracy"], 4) for name, row in metrics["baselines"]["rows"].items()},
        "why": opinion["why"],
        "cpu_seconds": {name: round(value, 1) for name, value in seconds.items()},
    }


def _params(asked: argparse.Namespace, seed: int) -> Params:
    return settings(
        seed=seed,
        threads=asked.threads,
        ingest={
            "source": str(Path(asked.root).absolute()),
            "modality": {"name": "image", "image_size": asked.size, "channels": 3},
        },
        augment={"policies": POLICIES},
        pretrain={"epochs": asked.epochs, "workers": 0},
        label={"budget": asked.labels, "folds": asked.folds},
        finetune={"second_control": "on"},
    )


if __name__ == "__main__":
    main()
