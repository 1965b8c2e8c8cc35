"""Every self-supervised method for the same CPU minutes: what a frozen encoder then knows, beside random and pixels.

`python -m benchmarks.self_supervised digits` (or `fashion --root FOLDER` with FashionMNIST's files); `--methods`,
`--minutes`, `--seeds`, `--jobs` choose; `--save` keeps the figures for docs/methods.md. Each run
has a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._pipeline import keep, settings
from benchmarks.few_labels import changes_for
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.oracle import read_classes, reveal
from components.judging.health import health
from components.judging.probes import knn_accuracy, leave_one_out_accuracy, linear_accuracy
from components.methods.contracts import TrainableMethod
from components.models.encoders.small_resnet import SmallResnet
from components.training.corpus import open_corpus
from components.training.inference import embed_all
from components.training.loop import Labeled, LoopConfig
from components.training.precision import choose_device
from components.training.trial import run_trial
from pipelines.inline import PROJECT, run_stages

RESULTS = PROJECT / "benchmarks/results"
PREPARED = ("ingest", "validate", "augment")
LOCAL = {"crop": [0.15, 0.5], "flip": 0.5, "brightness": 0.4, "contrast": 0.4, "shrink": 2}
BASELINES = ("pixels", "random", "random_vit", "supervised")
ENCODERS = [
    PluginChoice(name="small_resnet"),
    PluginChoice(name="vit_small", width=96, depth=4, heads=4, patch=4),  # for methods that want patches
]
FEW, DRAWS = 10, 5  # labels per class of the third probe, and how often they are drawn
VISIBLE = 4  # labels per class that `winnow compare` would look at
MINUTES = {"digits": 0.5, "fashion": 2.0}


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    if asked.one:
        print(json.dumps(_one(Path(asked.one), asked.methods[0], asked.minutes, asked.seeds[0])))
        return
    methods = asked.methods or [*BASELINES, *plugins.names("self_supervised")]
    minutes = asked.minutes or MINUTES[asked.data]
    with tempfile.TemporaryDirectory() as folder:
        run_stages(PREPARED, Path(folder), _settings(asked.data, asked.root))
        runs = [(name, seed) for seed in asked.seeds for name in methods]
        with ThreadPoolExecutor(asked.jobs) as pool:
            for (name, seed), figures in zip(
                runs, pool.map(lambda run: _apart(folder, *run, minutes), runs), strict=True
            ):
                print(json.dumps({"method": name, "seed": seed, **figures}), flush=True)
                if asked.save:
                    keep(RESULTS / f"self_supervised_{asked.data}.json", [name, seed], {"minutes": minutes, **figures})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_supervised", description=__doc__)
    parser.add_argument("data", choices=sorted(MINUTES), nargs="?", default="digits")
    parser.add_argument("--root", default="data/raw", help="folder with FashionMNIST's files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=None)
    parser.add_argument("--minutes", type=float, default=None, help="CPU minutes of each training")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time, one thread each")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    parser.add_argument("--one", default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def _settings(name: str, root: str) -> dict[str, Any]:
    changes = changes_for(name, root)
    if name == "fashion":
        changes["augment"] = {"policies": {**changes["augment"]["policies"], "local": LOCAL}}
    return settings(**changes)


def _apart(folder: str, name: str, seed: int, minutes: float) -> dict[str, Any]:
    """One run in a process of its own, so that its peak of memory is its own."""
    line = [sys.executable, "-m", "benchmarks.self_supervised", "--one", folder, "--methods", name]
    line += ["--minutes", str(minutes), "--seeds", str(seed)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _one(folder: Path, name: str, minutes: float, seed: int) -> dict[str, Any]:
    """Train `name` and probe what it learned; the test split is read once, at the end."""
    seeds.deterministic(1)
    task = Task(folder / "data")
    forget_peak()
    base = memory("VmRSS")
    if name == "pixels":
        values = task.corpus.samples.values
        vectors, figures = values.reshape(len(values), -1).astype(np.float32) / 255, {}
    else:
        encoder, figures = task.trained(name, minutes, seed)
        figures["peak_megabytes"] = round(memory("VmHWM") - base)
        vectors = embed_all(encoder, task.corpus.views.plain, task.corpus.samples)
        figures |= task.health(encoder)
    return {**figures, **task.probed(vectors)}


class Task:
    """One data set, prepared by the pipeline's own stages."""

    def __init__(self, data: Path) -> None:
        manifest = read_manifest(data / "ingest/manifest.parquet")
        self.corpus = open_corpus(
            data / "ingest/manifest.parquet", data / "ingest/samples.npy", data / "augment/policy.json"
        )
        self.train, self.test = positions_of(manifest, "train"), positions_of(manifest, "test")
        names = read_classes(data / "ingest/oracle.parquet")
        truth = reveal(data / "ingest/oracle.parquet", manifest["id"].tolist())
        self.classes = np.array([names.index(str(name)) for name in truth])
        self.loop = LoopConfig(batch_size=256, learning_rate=0.002)

    def trained(self, name: str, minutes: float, seed: int) -> tuple[Any, dict[str, Any]]:
        if name.startswith("random"):
            return self._encoder(ENCODERS[name == "random_vit"], seed), {}
        supervised = name == "supervised"
        targets = np.eye(int(self.classes.max()) + 1, dtype=np.float32)[self.classes[self.train]]
        weights = np.ones(len(targets), dtype=np.float32)
        data = Labeled(**vars(self.corpus), targets=targets, weights=weights) if supervised else self.corpus
        method, trial = run_trial(
            lambda: self.method(name, seed), data, self.loop, minutes * 60, seed=seed, device=choose_device()
        )
        figures = {
            "encoder": "" if isinstance(method.encoder, SmallResnet) else "_vit",
            "epochs": round(trial.epochs, 2),
            "cpu_seconds": round(trial.cpu_seconds, 1),
            "samples_per_second": round(trial.samples_per_second),
            "loss": trial.history[-1]["loss"],
        }
        return method.encoder, figures

    def method(self, name: str, seed: int) -> TrainableMethod:
        for choice in ENCODERS:
            encoder = self._encoder(choice, seed)
            try:
                family, parts = "self_supervised", [encoder]
                if name == "supervised":
                    family, name, parts = "adaptation", "full", [encoder, int(self.classes.max()) + 1]
                method: TrainableMethod = plugins.build(family, PluginChoice(name=name), *parts, where="method")
                return method
            except WinnowError as error:
                refusal = error
        raise refusal

    def _encoder(self, choice: PluginChoice, seed: int) -> Any:
        torch.manual_seed(seeds.derive(seed, "weights"))
        return plugins.build("encoder", choice, self.corpus.views.input, where="encoder")

    def health(self, encoder: Any) -> dict[str, float]:
        """Of 256 training pictures and their weak views, as the pretrain stage watches it."""
        records = torch.from_numpy(np.asarray(self.corpus.samples[self.train[:256]])).to(choose_device())
        look = self.corpus.views["view"]
        with torch.no_grad():
            first, second = (encoder.eval()(look(records, self.train[:256], seed)) for seed in (0, 1))
        return {name: round(value, 4) for name, value in health(first, second).items()}

    def probed(self, vectors: Any) -> dict[str, float]:
        known, queries = vectors[self.train], vectors[self.test]
        answers, truth = self.classes[self.train], self.classes[self.test]
        few = _per_class(answers, FEW)  # the same ones for every method and seed
        visible = _per_class(answers, VISIBLE)
        return {
            "visible": round(
                float(np.mean([leave_one_out_accuracy(known[rows], answers[rows]) for rows in visible])), 4
            ),
            "knn": round(knn_accuracy(known, answers, queries, truth), 4),
            "linear": round(linear_accuracy(known, answers, queries, truth), 4),
            "linear_few": round(
                float(np.mean([linear_accuracy(known[rows], answers[rows], queries, truth) for rows in few])), 4
            ),
        }


def _per_class(classes: Any, count: int) -> list[Any]:
    """DRAWS times positions of `count` samples of each class, at random."""
    generator = np.random.default_rng(0)
    groups = [np.flatnonzero(classes == number) for number in range(int(classes.max()) + 1)]
    return [np.concatenate([generator.permutation(group)[:count] for group in groups]) for _ in range(DRAWS)]


def memory(name: str) -> float:
    """`VmRSS` or `VmHWM` (the most since `forget_peak`) of this process, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
