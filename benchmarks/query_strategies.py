"""Labels each query strategy needs to reach an accuracy, beside random: 0.95 on digits, 0.80 on Fashion-MNIST.

`python -m benchmarks.query_strategies digits` (or `fashion --root FOLDER` with FashionMNIST's files); `--strategies`,
`--seeds`, `--epochs` of pretraining choose, `--skip` leaves out what is kept already; `--save` keeps the figures for
docs/methods.md and draws docs/images. Stages without labels run once per seed; then the strategies are asked as `label`
and `select` ask them. Cheap per point: the model is a linear probe on the frozen vectors, not fine-tuned and
without pseudo-labels. The first labels are the strategy's own where it needs no model, else random. BALD asks a probe
trained with a fifth of its inputs left out; accuracy is always that of the plain probe. The test split is read for
every point; what was tuned was tuned on training pictures (docs/log.md).
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import changes_for
from benchmarks.self_supervised import RESULTS
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.core.files import replacing
from components.core.seeds import torch_generator
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.vectors import open_vectors
from components.methods.contracts import Floats, Pool, Positions, QueryStrategy
from components.models.linear_head import fit_linear
from components.pages.chart_style import ACCENT, INK, SOFT, empty_figure
from components.training.inference import dropout_masks
from pipelines.campaign.curves import Curve, curves
from pipelines.inline import PROJECT, UNLABELED, Params, run_stages

BUDGETS = {"digits": [10, 20, 30, 40, 60, 80, 100, 140], "fashion": [10, 20, 40, 80, 160, 320, 640, 1280]}
TARGETS, EPOCHS = {"digits": 0.95, "fashion": 0.80}, {"digits": 20, "fashion": 8}
DROPOUT, L2 = 0.2, 0.01
NAMES, RANDOM = {"digits": "digits", "fashion": "Fashion-MNIST"}, "random"


def main() -> None:
    """Run what the command line asks for; a line of JSON for each curve."""
    asked = _arguments()
    seeds.deterministic(1)
    path = RESULTS / f"query_strategies_{asked.data}.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    others = [name for name in plugins.names("query_strategy") if name != RANDOM]
    with tempfile.TemporaryDirectory() as folder:
        for seed in asked.seeds:
            names = asked.strategies or [RANDOM, *others]
            todo = [name for name in names if not (asked.skip and str(seed) in kept.get(name, {}))]
            base = Path(asked.keep or folder) / f"{asked.epochs}-{seed}"
            if todo and not (base / "data/embed").is_dir():
                run_stages(UNLABELED, base, _settings(asked, seed))
            for name in todo:
                accuracies = _curve(base / "data", seed, name, BUDGETS[asked.data])
                print(json.dumps({"strategy": name, "seed": seed, "accuracy": accuracies}), flush=True)
                if asked.save:
                    figures = {"labels": BUDGETS[asked.data], "accuracy": accuracies, "epochs": asked.epochs}
                    keep(path, [name, seed], figures)
    if asked.save:
        kept = json.loads(path.read_text())
        _draw(PROJECT / f"docs/images/query_strategies_{asked.data}.png", found(kept), TARGETS[asked.data])


def found(kept: dict[str, dict[str, Any]]) -> list[Curve]:
    """Random's curve first, then all others, over the seeds that every strategy has."""
    whole = set.intersection(*(set(runs) for runs in kept.values()))
    order = [RANDOM, *sorted(set(kept) - {RANDOM})]
    points = [
        {"strategy": name, "seed": seed, "labels": labels, "accuracy": accuracy}
        for name in order
        for seed in sorted(whole)
        for labels, accuracy in zip(kept[name][seed]["labels"], kept[name][seed]["accuracy"], strict=True)
    ]
    return curves(pd.DataFrame(points), RANDOM)


def section(data: str, kept: dict[str, dict[str, Any]]) -> str:
    """The part of docs/methods.md."""
    drawn, target = found(kept), TARGETS[data]
    count, epochs = len(next(iter(kept.values()))), {run["epochs"] for runs in kept.values() for run in runs.values()}
    lines = [
        f"### Query strategies: labels needed on {NAMES[data]}",
        "",
        f"`python -m benchmarks.query_strategies {data}`: {count} seeds, {max(epochs)} epochs of pretraining. The",
        "model is a linear probe on the frozen vectors; the first labels are the strategy's own where it needs no",
        "model, else random. Accuracy; points above random of the same seed; labels after which a seed first reached",
        f"{target:g}, mean over seeds, counting one step more where it never did (in how many it did).",
        "",
        f"![accuracy over labels, random in gray](images/query_strategies_{data}.png)",
        "",
    ]
    shown = [0, 2, len(drawn[0].steps) - 1]
    heads = [f"{drawn[0].steps[step].labels} labels" for step in shown]
    lines += [f"| strategy | {' | '.join(heads)} | average gain | labels to {target:g} |", "|---|" + "---|" * 5]
    for curve in sorted(drawn, key=lambda curve: -curve.area.mean):
        cells = [f"{curve.steps[step].accuracy.mean:.3f}" for step in shown]
        gain = curve.area_gain
        ends = "" if gain is None or gain.low is None else f" ({100 * gain.low:+.1f} to {100 * (gain.high or 0):+.1f})"
        cells.append("" if gain is None else f"{100 * gain.mean:+.1f}{ends}")
        lines.append(f"| {' | '.join([curve.strategy, *cells, _needed(kept[curve.strategy], target)])} |")
    return "\n".join([*lines, ""])


def _draw(path: Path, drawn: list[Curve], target: float) -> None:
    """A panel for each strategy, the best on average first: its accuracy, and random's in gray."""
    random, *others = drawn
    others.sort(key=lambda curve: -curve.area.mean)
    figure = empty_figure(11, 5)
    panels = figure.subplots(2, -(-len(others) // 2), sharex=True, sharey=True, squeeze=False).flatten()
    ticks = [step.labels for step in random.steps][::2]
    for panel, curve in zip(panels, others, strict=False):
        panel.axhline(target, color=SOFT, linewidth=1)
        for shown, color in ((random, "#7b8a96"), (curve, ACCENT)):
            labels, said = [step.labels for step in shown.steps], [step.accuracy for step in shown.steps]
            ends = [[getattr(value, end) or value.mean for value in said] for end in ("low", "high")]
            panel.fill_between(labels, *ends, color=color, alpha=0.18, linewidth=0)
            panel.plot(labels, [value.mean for value in said], color=color, linewidth=1.8, marker="o", markersize=3)
        panel.set_xscale("log")
        panel.set_xticks(ticks, [str(count) for count in ticks])
        panel.minorticks_off()
        panel.set_title(curve.strategy)
    for panel in panels[len(others) :]:
        panel.remove()
    figure.supxlabel(f"labels (gray: random; bands: 95 % interval over seeds; line: {target:g})", color=INK, fontsize=9)
    figure.supylabel("accuracy on the test split", color=INK, fontsize=9)
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})


def _needed(runs: dict[str, Any], target: float) -> str:
    first = []
    for run in runs.values():
        reached = [labels for labels, said in zip(run["labels"], run["accuracy"], strict=True) if said >= target]
        first.append(reached[0] if reached else None)
    step = 2 * run["labels"][-1] - run["labels"][-2]
    mean = float(np.mean([step if labels is None else labels for labels in first]))
    return f"{mean:.0f} ({len(first) - first.count(None)} of {len(first)})"


def _curve(data: Path, seed: int, name: str, budgets: list[int]) -> list[float]:
    """Accuracy after each budget; the strategy is asked as `label` and `select` ask it, and the truth answers."""
    task = _read(data)
    strategy = plugins.build("query_strategy", PluginChoice(name=name), where="strategy")
    first = (
        plugins.build("query_strategy", PluginChoice(name=RANDOM), where="first") if strategy.needs_model else strategy
    )
    everything = np.arange(len(task.vectors))
    labeled = np.sort(
        first.query(Pool(task.vectors, everything[:0], everything), budgets[0], torch_generator(seed, "label"))
    )
    accuracies = []
    for budget, following in zip(budgets, [*budgets[1:], budgets[-1]], strict=True):
        head = task.probe(labeled)
        accuracies.append(task.accuracy(head))
        if following > budget:
            pool = _pool(task, head, labeled, strategy, seed)
            asks, _ = strategy.settle(pool)
            chosen = asks.query(pool, following - budget, torch_generator(seed, "select"))
            labeled = np.sort(np.concatenate([labeled, chosen]))
    return accuracies


def _pool(task: "_Task", head: nn.Linear, labeled: Positions, strategy: QueryStrategy, seed: int) -> Pool:
    """What `select` would show the strategy of the probe; draws: of inputs left out at random."""
    candidates = np.setdiff1d(np.arange(len(task.vectors)), labeled)
    features, draws = task.vectors[candidates], None
    if strategy.draws:
        random = torch_generator(seed, "select", "dropout")
        trained, asked = (dropout_masks(strategy.draws, features.shape[1], DROPOUT, random) for _ in range(2))
        head = task.probe(labeled, trained)
        draws = np.stack([_said(head, features * mask) for mask in asked])
    return Pool(task.vectors, labeled, candidates, _said(head, task.vectors), features, draws)


def _said(head: nn.Linear, vectors: Floats) -> Floats:
    with torch.inference_mode():
        return np.asarray(head(torch.from_numpy(vectors)).softmax(1).numpy(), np.float32)


@dataclass(frozen=True)
class _Task:
    """Vectors `(N, D)` and classes `(N,)` of the training split; of the test split the same."""

    vectors: Floats
    classes: Positions
    test_vectors: Floats
    test_classes: Positions

    def probe(self, labeled: Positions, masks: Floats | None = None) -> nn.Linear:
        """The head that the labels at these rows give; from every vector under each of `(T, D)` masks, if there are."""
        vectors, rows, classes = self.vectors, labeled, self.classes[labeled]
        if masks is not None:
            vectors = np.concatenate([vectors, *(vectors[labeled] * mask for mask in masks)])
            rows, classes = np.arange(len(self.vectors), len(vectors)), np.tile(classes, len(masks))
        targets = np.eye(int(self.classes.max()) + 1, dtype=np.float32)[classes]
        return fit_linear(vectors, rows, targets, np.full(len(rows), len(labeled) / len(rows), np.float32), l2=L2)[0]

    def accuracy(self, head: nn.Linear) -> float:
        """On the test split."""
        return round(float((_said(head, self.test_vectors).argmax(1) == self.test_classes).mean()), 4)


def _read(data: Path) -> _Task:
    manifest, vectors = read_manifest(data / "ingest/manifest.parquet"), open_vectors(data / "embed/embeddings.npy")
    names = read_classes(data / "ingest/oracle.parquet")
    parts = []
    for split in ("train", "test"):
        rows = positions_of(manifest, split)
        truth = reveal(data / "ingest/oracle.parquet", manifest["id"].iloc[rows].tolist())
        parts += [np.array(vectors[rows]), np.array([names.index(str(name)) for name in truth])]
    return _Task(*parts)


def _settings(asked: argparse.Namespace, seed: int) -> Params:
    base = changes_for(asked.data, asked.root)
    return settings(**{**base, "seed": seed, "pretrain": {**base["pretrain"], "epochs": asked.epochs}})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.query_strategies", description=__doc__)
    parser.add_argument("data", choices=sorted(BUDGETS), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--strategies", type=lambda text: text.split(","), default=None)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, default=None, help="of pretraining")
    parser.add_argument("--keep", help="folder that keeps the pretrained encoders for another call")
    parser.add_argument("--skip", action="store_true", help="leave out what is kept already")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    asked.epochs = asked.epochs or EPOCHS[asked.data]
    return asked


if __name__ == "__main__":
    main()
