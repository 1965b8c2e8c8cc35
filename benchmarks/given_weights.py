"""Photos with few labels on given weights: the whole pipeline, by the settings that `winnow photos` writes.

`python -m benchmarks.given_weights imagenette --root FOLDER` (or `scenes`), FOLDER being `train|val/<class>/*`;
`--labels`, `--seeds` choose, `--keep FOLDER` keeps the vectors for another call, `--save` the figures. The weights are
those of `winnow weights add efficientnet_lite0`. Beside it, on the same vectors and labels, what a user would take
instead; `from scratch`: our small network on the same labels and pictures, without any weights.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import Rivals
from pipelines.inline import LABELED, PROJECT, UNLABELED, Params, run_stages, share
from pipelines.photos import HEAD, POLICIES, STEPPED, first_for
from pipelines.weights import PACKAGED, packaged_file

RESULTS = PROJECT / "benchmarks/results/given_weights.json"
LABELS = {"imagenette": [10, 20, 50, 100], "scenes": [30, 60, 120, 1200]}
CLASSES = {"imagenette": 10, "scenes": 6}
WEIGHTS = PACKAGED["efficientnet_lite0"]


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        kind = "" if asked.vectors == "head" else f"-{asked.vectors}"
        base = Path(asked.keep or folder) / f"{asked.data}-{asked.size}{kind}"
        if not (base / "data/embed").is_dir():
            _say("CPU seconds", run_stages(UNLABELED, base, _params(asked, 0, 10)))
        for labels in asked.labels or LABELS[asked.data]:
            for seed in asked.seeds:
                figures = _cell(asked, base, Path(folder) / f"{seed}-{labels}", seed, labels)
                _say(f"{labels} labels, seed {seed}", figures)
                if asked.save:
                    keep(RESULTS, (asked.data, f"{asked.size} {asked.vectors}", labels, seed), figures)


def _cell(asked: argparse.Namespace, base: Path, folder: Path, seed: int, labels: int) -> dict[str, Any]:
    """Accuracies on the test split, which classes the questions found, and what the guard said."""
    place, params = share(base, folder), _params(asked, seed, labels)
    seconds = run_stages(LABELED, place, params)
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    guard = json.loads((place / "data/finetune/guard.json").read_text())
    rivals = Rivals(place)
    return {
        "winnow": round(metrics["accuracy"], 4),
        "control": round(metrics["control_accuracy"], 4),
        "logistic": round(rivals.logistic(rivals.vectors), 4),
        "spreading": round(rivals.spreading(rivals.vectors), 4),
        **({"scratch": round(rivals.network(_scratch(params)), 4)} if asked.scratch else {}),
        "classes": len(set(rivals.classes.tolist())),
        "shipped": guard["shipped"],
        "why": guard["why"],
        "cpu_seconds": round(sum(seconds.values()), 1),
    }


def _params(asked: argparse.Namespace, seed: int, labels: int) -> Params:
    """What `winnow photos` would write, for a folder of this seed and budget."""
    origin = WEIGHTS.origin
    weights = {"from": "file", "path": str(PROJECT / "data/weights" / packaged_file(WEIGHTS))}
    params = settings(
        seed=seed,
        threads=asked.threads,
        ingest={
            "source": str(Path(asked.root).absolute()),
            "modality": {"name": "image", "image_size": asked.size or origin.image_size, "channels": 3},
        },
        augment={"policies": POLICIES},
        pretrain={"encoder": {**WEIGHTS.encoder, "vectors": asked.vectors}, "weights": weights, "epochs": 0},
        label={"budget": labels, "first": first_for(labels, CLASSES[asked.data])},
        finetune={"method": HEAD},
    )
    assert not set(STEPPED) & params["finetune"].keys()
    return params


def _scratch(params: Params) -> Params:
    return {**params, "pretrain": {**params["pretrain"], "encoder": {"name": "small_resnet"}}}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.given_weights", description=__doc__)
    parser.add_argument("data", choices=sorted(LABELS))
    parser.add_argument("--root", required=True, help="folder of the photos")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--vectors", default="head", help="as in pretrain.encoder.vectors: head, last or stages")
    parser.add_argument("--threads", type=int, default=2)
    for name, usual in (("labels", None), ("seeds", [0, 1, 2])):
        parser.add_argument(f"--{name}", type=lambda text: [int(one) for one in text.split(",")], default=usual)
    parser.add_argument("--keep", help="folder that keeps the vectors for another call")
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--scratch", action="store_true", help="the network from scratch beside them, which takes long")
    return parser.parse_args()


def _say(what: str, figures: dict[str, Any]) -> None:
    print(json.dumps({"of": what, **figures}), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
