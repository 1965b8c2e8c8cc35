"""Made questions beside found ones: what twenty more labels are worth, of pool pictures or of synthesized pictures

`python -m benchmarks.synthesis` (`--seeds`, `--minutes` of a generator choose; `--save` keeps the figures for
docs/methods.md). Digits through the pipeline with 20 labels, then with 20 more: chosen at random, by margin, or of
pictures that `winnow synthesize` makes. For the person who names these stands a network trained on all labels; where it
is not sure to 60 %, the question is lost. Named: share of the made pictures that got a label.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._pipeline import keep, mean_and_interval, settings
from benchmarks.few_labels import DIGITS
from benchmarks.self_supervised import RESULTS
from components.datasets.ledger import append
from components.datasets.synthetic import file_of, identity_of
from components.modalities.image.png import png
from components.models.classifier import load_classifier
from components.training.inference import predict
from pipelines.campaign.answers import answer, labeled_ids, questions
from pipelines.inline import LABELED, LEDGER, UNLABELED, Params, run_stages, share
from pipelines.synthesize import FOLDER, synthetic

PATH = RESULTS / "synthesis.json"
FIRST, MORE, SURE = 20, 20, 0.6
FOUND, GENERATORS = ("random", "margin"), ("vae", "gan")
PERSON = {"label": {"budget": None}, "finetune": {"method": {"name": "full"}, "guard_epochs": 0}}


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthesis", description=__doc__)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=0.5, help="CPU minutes of a generator's training")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            for name, figures in _cells(Path(folder) / str(seed), seed, asked.minutes).items():
                print(json.dumps({"questions": name, "seed": seed, **figures}), flush=True)
                if asked.save:
                    keep(PATH, [name, seed], figures)


def table(kept: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| 20 labels, and 20 more | shipped | labels alone | named | seeds |", "|---|---|---|---|---|"]
    for name in ("none", *FOUND, *GENERATORS):
        runs = list(kept[name].values())
        said = [mean_and_interval([run[figure] for run in runs]) for figure in ("accuracy", "control")]
        named = f"{np.mean([run['named'] for run in runs]):.2f}" if name in GENERATORS else ""
        lines.append(f"| {' | '.join([name, *said, named, str(len(runs))])} |")
    return lines


def _cells(folder: Path, seed: int, minutes: float) -> dict[str, dict[str, float]]:
    """Figures by where the questions come from, all from the same first labels and the same encoder."""
    base, person = folder / "base", folder / "person"
    run_stages(UNLABELED, base, _settings(seed, FIRST))
    run_stages(LABELED[:3], share(base, person), _settings(seed, None))
    figures = {"none": _learned(share(base, folder / "none"), seed, FIRST)}
    answered = folder / "none"
    answer(answered, labeled_ids(answered), 0)
    for name in FOUND:
        place = _copy(answered, folder / name)
        run_stages(["select"], place, _settings(seed, FIRST, name))
        answer(place, questions(place)[0], 1)
        figures[name] = _learned(place, seed, FIRST + MORE)
    for name in GENERATORS:
        place = _copy(answered, folder / name)
        model = load_classifier(answered / "data/finetune/model.safetensors")
        made = synthetic(name, MORE, 60 * minutes, model, _settings(seed, FIRST), place)
        said = predict(load_classifier(person / "data/finetune/model.safetensors"), made.pictures)
        named = np.flatnonzero(said.max(1) >= SURE)
        for row in named.tolist():
            content = png(made.pictures[row])
            file_of(place / FOLDER, identity_of(content)).write_bytes(content)
            label = model.spec.classes[int(said[row].argmax())]
            facts = {"annotator": "network", "source": "oracle", "round": 1}
            append(place / LEDGER, [{"id": identity_of(content), "label": label, **facts}])
        figures[name] = {**_learned(place, seed, FIRST + len(named)), "named": len(named) / MORE}
    return figures


def _copy(answered: Path, place: Path) -> Path:
    """The project with its first labels in the ledger and its model."""
    share(answered, place, (*UNLABELED, *LABELED[:3]))
    (place / FOLDER).mkdir(parents=True)
    shutil.copy(answered / LEDGER, place / LEDGER)
    return place


def _learned(place: Path, seed: int, labels: int) -> dict[str, float]:
    for stage in LABELED:
        (place / "data" / stage).unlink(missing_ok=True)  # a link to what was learned from the first labels
    run_stages(LABELED, place, _settings(seed, labels))
    metrics = json.loads((place / "data/evaluate/metrics.json").read_text())
    return {"accuracy": metrics["accuracy"], "control": metrics["control_accuracy"]}


def _settings(seed: int, labels: int | None, strategy: str = "margin") -> Params:
    asked = {"strategy": {"name": strategy}, "budget": MORE}
    changes = PERSON if labels is None else {"label": {"budget": labels}}
    return settings(**{**DIGITS, "seed": seed, "select": asked, **changes})


if __name__ == "__main__":
    main()
