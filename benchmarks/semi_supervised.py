"""Every semi-supervised method through the pipeline: accuracy and seconds beside its label-only control and the guard.

`python -m benchmarks.semi_supervised digits` (or `fashion --root FOLDER` with FashionMNIST's files); `--methods`,
`--labels`, `--seeds` choose, `--skip` leaves out what is kept already; `--save` keeps the figures for
docs/methods.md. Pretraining and the choice of labels are made once per seed and shared.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import changes_for
from benchmarks.self_supervised import RESULTS
from components.core import registry
from pipelines.inline import LABELED, UNLABELED, Params, run_stages, share

LABELS = {"digits": [10, 20, 40, 100], "fashion": [40, 250, 1000]}


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    asked = _arguments()
    methods, path = asked.methods or registry.names("semi_supervised"), RESULTS / f"semi_supervised_{asked.data}.json"
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            base = Path(folder) / f"seed{seed}"
            for labels in asked.labels or LABELS[asked.data]:
                todo = [name for name in methods if not (asked.skip and _kept(path, labels, name, seed))]
                if not todo:
                    continue
                if not base.is_dir():
                    run_stages(UNLABELED, base, _settings(asked, seed))
                place = share(base, Path(folder) / f"seed{seed}-{labels}")
                run_stages(LABELED[:1], place, _settings(asked, seed, labels))
                for name in todo:
                    figures = _one(place, _settings(asked, seed, labels, name))
                    line = {"labels": labels, "method": name, "seed": seed, **figures}
                    print(json.dumps(line), flush=True)
                    if asked.save:
                        keep(path, [labels, name, seed], figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.semi_supervised", description=__doc__)
    parser.add_argument("data", choices=sorted(LABELS), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=None)
    parser.add_argument("--labels", type=lambda text: [int(count) for count in text.split(",")], default=None)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--skip", action="store_true", help="leave out what is kept already")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    return parser.parse_args()


def _settings(asked: argparse.Namespace, seed: int, labels: int = 40, name: str = "label_propagation") -> Params:
    chosen = {"seed": seed, "label": {"budget": labels}, "pseudo_label": {"method": {"name": name}}}
    return settings(**{**changes_for(asked.data, asked.root), **chosen})


def _one(place: Path, params: Params) -> dict[str, Any]:
    spent = run_stages(LABELED[1:], place, params)
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    guard = json.loads((place / "data/finetune/guard.json").read_text())
    return {
        "accuracy": metrics["accuracy"],
        "control": metrics["control_accuracy"],
        "shipped": guard["shipped"],
        "evidence": guard["evidence"],
        "pseudo_label_seconds": round(spent["pseudo_label"], 1),
        "finetune_seconds": round(spent["finetune"], 1),
    }


def _kept(path: Path, *keys: str | int) -> bool:
    place = json.loads(path.read_text()) if path.is_file() else {}
    for key in keys:
        place = place.get(str(key), {})
    return bool(place)


if __name__ == "__main__":
    main()
