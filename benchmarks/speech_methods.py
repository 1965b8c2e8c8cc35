"""Self-supervised methods on clips for the same CPU seconds, beside their untrained networks, by voices never heard.

`python -m benchmarks.speech_methods --archive FILE` with the Free Spoken Digit Dataset. Each method is trained on the
clips of five speakers, without labels, one thread; the sixth one's 500 judge its vectors, standardized, by logistic
regressions on 10 labels a class of the five (mean of five draws). wav2vec 2.0 is also asked about the held-out voice's
own hidden frames. `--save` keeps the figures.
"""

import argparse
import io
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch

from benchmarks._pipeline import keep, mean_and_interval
from benchmarks.speech_few_labels import SPEAKERS
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.datasets.sample_store import About, Store
from components.judging.probes import linear_accuracy
from components.methods.contracts import Batch, SelfSupervisedMethod
from components.modalities.speech import Speech
from components.modalities.speech.policy import Policy
from components.modalities.views import Views
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig
from components.training.trial import run_trial
from pipelines.clips import POLICIES

PATH = Path(__file__).parent / "results/speech_methods.json"
INGEST = {"sample_rate": 8000, "seconds": 1.0}
WAVE = {"name": "wave_transformer", "strides": [5, 4, 4]}
FEW, DRAWS, L2 = 10, 5, 10.0
MOST = 64  # clips asked about at a time


@dataclass(frozen=True)
class Run:
    """A method, its encoder and how its clips are seen."""

    method: str
    encoder: dict[str, Any]
    views: str = "log_mel"
    rate: float = 0.002
    batch: int = 256
    options: dict[str, Any] = field(default_factory=dict)  # of the method


RUNS = {
    "wav2vec2": Run("wav2vec2", WAVE, "wave", 0.002, 32, {"entries": 64}),
    "simclr": Run("simclr", {"name": "mel_network"}),
    "vicreg": Run("vicreg", {"name": "mel_network"}),
    "byol": Run("byol", {"name": "mel_network"}),
}


def main() -> None:
    """Run what the command line asks for, print each figure, and the table where they are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speech_methods", description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="the data set's archive, recordings as WAV files")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=["cepstra", *RUNS])
    parser.add_argument("--speakers", type=lambda text: text.split(","), default=list(SPEAKERS), help="held out")
    parser.add_argument("--seconds", type=float, default=50.0, help="CPU seconds of each training")
    parser.add_argument("--options", type=json.loads, default={}, help="of the method, in place of the benchmark's")
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    seeds.deterministic(1)
    for speaker in asked.speakers:
        for name in asked.methods:
            if name == "cepstra":
                found = Data(asked.archive, speaker, "log_mel").cepstra()
            else:
                run = RUNS[name]
                run = Run(run.method, run.encoder, run.views, run.rate, run.batch, {**run.options, **asked.options})
                found = Data(asked.archive, speaker, run.views).trained(run, asked.seconds)
            figures = {key: round(value, 4) for key, value in found.items()}
            print(json.dumps({"run": name, "held out": speaker, **figures}), flush=True)
            if asked.save:
                keep(PATH, (title(name, asked.seconds), speaker), figures)
    if asked.save:
        print("\n".join(table(json.loads(PATH.read_text()))))


class Data:
    """The clips of five speakers, and those of the one held out."""

    def __init__(self, archive: Path, held_out: str, views: str) -> None:
        self.kind = Speech(Speech.Config.model_validate({**INGEST, "views": views}))
        parts: tuple[list[Any], list[Any]] = ([], [])
        classes: tuple[list[int], list[int]] = ([], [])
        with ZipFile(archive) as file:
            for name in sorted(file.namelist()):
                digit, speaker, _ = Path(name).stem.split("_")
                side = int(speaker == held_out)
                parts[side].append(self.kind.read(io.BytesIO(file.read(name)).getvalue()).values)
                classes[side].append(int(digit))
        self.known, self.asked = (_stored(records) for records in parts)
        self.classes, self.truth = (np.array(numbers) for numbers in classes)
        orders = [np.random.default_rng(draw).permutation(len(self.classes)) for draw in range(DRAWS)]
        self.draws = [
            np.concatenate([order[self.classes[order] == digit][:FEW] for digit in range(10)]) for order in orders
        ]

    def cepstra(self) -> dict[str, float]:
        """What statistics of cepstral coefficients are worth, which learned nothing."""
        rows = np.unique(np.concatenate(self.draws))
        sides = (self.known[rows], self.asked[np.arange(len(self.asked))])
        found = [next(iter(self.kind.simple_features(records).values())) for records in sides]
        return self._probed(found[0], found[1])

    def trained(self, run: Run, seconds: float) -> dict[str, float]:
        """What the method's vectors are worth before and after, and what it says of the voice it never heard."""
        policies = {name: Policy.model_validate(own) for name, own in POLICIES.items()}
        if run.views == "wave":
            policies = {"weak": Policy()}
        views = Views(self.kind, self.kind.measure(self.known, np.arange(len(self.known))), policies)
        loop = LoopConfig(batch_size=run.batch, learning_rate=run.rate, clip=1.0)
        corpus = Corpus(self.known, np.arange(len(self.known)), views)
        before = self._judged(_untrained(run, views), views)
        method, trial = run_trial(lambda: _untrained(run, views), corpus, loop, seconds, seed=0)
        assert isinstance(method, SelfSupervisedMethod)
        figures = {"cpu_seconds": trial.cpu_seconds, "clips_per_second": trial.samples_per_second}
        figures |= {"epochs": trial.epochs, "first_loss": trial.history[0]["loss"], "loss": trial.history[-1]["loss"]}
        began = time.process_time()
        after = self._judged(method, views)
        figures["judging_cpu_seconds"] = time.process_time() - began
        return {**figures, **{f"untrained_{name}": value for name, value in before.items()}, **after}

    def _judged(self, method: SelfSupervisedMethod, views: Views) -> dict[str, float]:
        rows = np.unique(np.concatenate(self.draws))
        known, queries = (
            embed_all(method.encoder, views.plain, store, part)
            for store, part in ((self.known, rows), (self.asked, np.arange(len(self.asked))))
        )
        return {**self._probed(known, queries), **(self._told(method, views) if "wave" in method.fits else {})}

    def _probed(self, known: Any, queries: Any) -> dict[str, float]:
        """known: vectors of all rows that any draw has, in order."""
        mean, deviation, rows = known.mean(0), known.std(0) + 1e-6, np.unique(np.concatenate(self.draws))
        known, queries = (known - mean) / deviation, (queries - mean) / deviation
        several = [
            linear_accuracy(known[np.searchsorted(rows, own)], self.classes[own], queries, self.truth, l2=L2)
            for own in self.draws
        ]
        return {"linear_few": float(np.mean(several))}

    def _told(self, method: SelfSupervisedMethod, views: Views) -> dict[str, float]:
        """The method's own figures on the held-out clips, each batch of them counted alike."""
        method.eval()
        sums: dict[str, list[float]] = {}
        with torch.no_grad():
            for start in range(0, len(self.asked), MOST):
                keys = np.arange(start, min(start + MOST, len(self.asked)))
                batch = Batch([views.plain(torch.from_numpy(self.asked[keys]))], keys=torch.from_numpy(keys))
                batch.generator.manual_seed(start)
                for name, value in method.training_step(batch).metrics.items():
                    sums.setdefault(name, []).append(float(value))
        return {name: float(np.mean(values)) for name, values in sums.items()}


def _stored(records: list[Any]) -> Store:
    about = About(modality=PluginChoice(name="speech"), dtype="int16", shape=(-1,))
    lengths = [len(record) for record in records]
    return Store(about, np.concatenate(records), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))


def _untrained(run: Run, views: Views) -> SelfSupervisedMethod:
    torch.manual_seed(seeds.derive(0, "weights"))
    encoder = plugins.build("encoder", PluginChoice(**run.encoder), views.input, where="encoder")
    choice = PluginChoice(name=run.method, **run.options)
    method: SelfSupervisedMethod = plugins.build("self_supervised", choice, encoder, where="method", kind=run.views)
    return method


def title(name: str, seconds: float) -> str:
    """What was run, in words."""
    if name == "cepstra":
        return "statistics of cepstral coefficients"
    return f"{RUNS[name].method} over {RUNS[name].encoder['name']}, {seconds:g} s"


def section(kept: dict[str, Any]) -> str:
    """For docs/methods.md."""
    lines = [
        "### Clips",
        "",
        "`python -m benchmarks.speech_methods`: Free Spoken Digit Dataset, clips of five speakers without labels,",
        "one thread, for the CPU seconds named; the sixth speaker's 500 clips judge the vectors, standardized, by",
        "logistic regressions on 10 labels a class of the five (mean of five draws), beside the same of the network",
        "untrained. Mean over the speakers held out, in brackets Student's 95 % interval. Hidden frames: of the voice",
        "never heard, how often the first guess is right, in brackets what guessing has, and how many entries of the",
        "code book are in use (of 128). Chance is .1.",
        "",
        *table(kept),
        "",
    ]
    return "\n".join(lines)


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each run, the best with few labels first."""
    probes = ("linear_few", "untrained_linear_few")
    lines = ["| | 10 labels a class | untrained | hidden frames | speakers |"]
    lines.append("|---" * 5 + "|")
    rows = []
    for name, runs in kept.items():
        several = list(runs.values())
        cells = [mean_and_interval([run[key] for run in several]) if key in several[0] else "" for key in probes]
        means = {key: float(np.mean([run[key] for run in several])) for key in several[0]}
        told = ""
        if "contrastive_accuracy" in means:
            told = f"{means['contrastive_accuracy']:.3f} ({means['guessing']:.3f}), {means['perplexity']:.0f} in use"
        rows.append((-means["linear_few"], f"| {' | '.join([name, *cells, told, str(len(several))])} |"))
    return [*lines, *(row for _, row in sorted(rows))]


if __name__ == "__main__":
    main()
