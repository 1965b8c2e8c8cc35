"""Photos with few labels on given weights: the whole pipeline, by the settings that `winnow photos` writes.

`python -m benchmarks.given_weights imagenette --root FOLDER` (or `scenes`), FOLDER being `train|val/<class>/*`;
`--labels`, `--seeds` choose, `--keep FOLDER` keeps the vectors for another call, `--save` the figures. The weights are
those of `winnow weights add efficientnet_lite0`. Beside it, on the same vectors and labels, what a user would take
instead; `from scratch`: our small network on the same labels and pictures, without any weights. `--finetune lora`
adapts the weights by that method, `--further N` trains them for N epochs without labels first, `--misread` normalizes
by ImageNet's mean and deviation, which are not these weights'.
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
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # mean and deviation that most weights want
TRAINED = {"epochs": 3, "batch_size": 16, "learning_rate": 0.001, "guard_epochs": 1}
FURTHER = {"batch_size": 64, "learning_rate": 0.0003, "workers": 0}
WEIGHTS = PACKAGED["efficientnet_lite0"]
FILE = {"from": "file", "path": str(PROJECT / "data/weights" / packaged_file(WEIGHTS))}


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(asked.keep or folder) / f"{asked.data}-{_variant(asked)}".replace(" ", "-")
        if not (base / "data/embed").is_dir():
            _say("CPU seconds", run_stages(UNLABELED, base, _params(asked, 0, 10)))
        for labels in asked.labels or LABELS[asked.data]:
            for seed in asked.seeds:
                figures = _cell(asked, base, Path(folder) / f"{seed}-{labels}", seed, labels)
                _say(f"{labels} labels, seed {seed}", figures)
                if asked.save:
                    adapted = f" {asked.finetune}" if asked.finetune else ""
                    keep(RESULTS, (asked.data, f"{_variant(asked)}{adapted}", labels, seed), figures)


def _variant(asked: argparse.Namespace) -> str:
    """What the vectors depend on, in words."""
    further = [f"further {asked.further}"] if asked.further else []
    return " ".join([str(asked.size), asked.vectors, *further, *(["misread"] if asked.misread else [])])


def _cell(asked: argparse.Namespace, base: Path, folder: Path, seed: int, labels: int) -> dict[str, Any]:
    """Accuracies on the test split, which classes the questions found, and what the guard said."""
    place, params = share(base, folder), _params(asked, seed, labels)
    seconds = run_stages(LABELED, place, params)
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    guard = json.loads((place / "data/finetune/guard.json").read_text())
    rivals = Rivals(place)
    second = json.loads((place / "data/finetune/second_control.json").read_text())
    return {
        "winnow": round(metrics["accuracy"], 4),
        "control": round(metrics["control_accuracy"], 4),
        "logistic": round(rivals.logistic(rivals.vectors), 4),
        "spreading": round(rivals.spreading(rivals.vectors), 4),
        **({"scratch": round(rivals.network(_scratch(params)), 4)} if asked.scratch else {}),
        "classes": len(set(rivals.classes.tolist())),
        "shipped": guard["shipped"],
        "why": guard["why"],
        **({"second": second["why"]} if second["why"] else {}),
        "cpu_seconds": round(sum(seconds.values()), 1),
    }


def settings_for(root: str, *, size: int, labels: int, classes: int, vectors: str = "head") -> Params:
    """What `winnow photos` writes where these weights are in data/weights, with a budget of so many labels."""
    return settings(
        ingest={
            "source": str(Path(root).absolute()),
            "modality": {"name": "image", "image_size": size, "channels": 3},
        },
        augment={"policies": POLICIES},
        pretrain={"encoder": {**WEIGHTS.encoder, "vectors": vectors}, "weights": dict(FILE), "epochs": 0},
        label={"budget": labels, "first": first_for(labels, classes)},
        finetune={"method": HEAD},
    )


def _params(asked: argparse.Namespace, seed: int, labels: int) -> Params:
    """The settings, with what the command line changes."""
    classes = CLASSES[asked.data]
    params = settings_for(asked.root, size=asked.size, labels=labels, classes=classes, vectors=asked.vectors)
    assert not set(STEPPED) & params["finetune"].keys()
    params |= {"seed": seed, "threads": asked.threads}
    params["label"]["folds"] = asked.folds
    if asked.misread:
        params["pretrain"]["weights"] |= {"mean": IMAGENET[0], "std": IMAGENET[1]}
    if asked.further:
        params["pretrain"] |= {"method": {"name": "simclr"}, **FURTHER, "epochs": asked.further}
    if asked.finetune:
        params["finetune"] |= {**TRAINED, "method": {"name": asked.finetune}}
    return params


def _scratch(params: Params) -> Params:
    return {**params, "pretrain": {**params["pretrain"], "encoder": {"name": "small_resnet"}}}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.given_weights", description=__doc__)
    parser.add_argument("data", choices=sorted(LABELS))
    parser.add_argument("--root", required=True, help="folder of the photos")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--vectors", default="head", help="as in pretrain.encoder.vectors: head, last or stages")
    parser.add_argument("--finetune", default="", help="a method that adapts the weights, in place of a head on them")
    parser.add_argument("--further", type=int, default=0, help="epochs of pretraining on the photos, from the weights")
    parser.add_argument("--misread", action="store_true", help="normalize by ImageNet's mean and deviation")
    parser.add_argument("--folds", type=int, default=5)
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
