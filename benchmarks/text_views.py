"""What views of texts are worth to SimCLR over a bag of words: spans, words left out, exchanged, hidden, synonyms.

`python -m benchmarks.text_views --root FOLDER` with AG News' two tables. Every training sees the same 20,000 texts
for the same few CPU seconds, one thread; vectors are judged on 2,000 test texts by a logistic regression on 40 labels,
ten draws of them. Synonyms are the nearest five by a word2vec of the same texts, of twice that time.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._pipeline import keep, mean_and_interval
from benchmarks.text_methods import WORDS, Data
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.judging.probes import linear_accuracy
from components.methods.contracts import SelfSupervisedMethod
from components.modalities.text import Text
from components.modalities.text.policy import Policy
from components.modalities.views import Views
from components.models.encoder_file import EncoderSpec, Inputs, save_encoder
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig
from components.training.trial import run_trial

PATH = Path(__file__).parent / "results/text_views.json"
VECTORS = "data/weights/words/encoder.safetensors"
CROP: dict[str, Any] = {"crop": [0.3, 0.7]}
VIEWS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "crop 0.3 to 0.7": CROP,
    "drop 0.3": {"drop": 0.3},
    "swap 0.3": {"swap": 0.3},
    "mask 0.3": {"mask": 0.3},
    "synonyms 0.3": {"synonyms": {"chance": 0.3, "vectors": VECTORS}},
    "crop, drop 0.2": {**CROP, "drop": 0.2},
    "crop, synonyms 0.2": {**CROP, "synonyms": {"chance": 0.2, "vectors": VECTORS}},
}
LABELS, DRAWS = 40, 10


def main() -> None:
    """Run what the command line asks for, keep each figure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_views", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' tables")
    parser.add_argument("--seconds", type=float, default=6.0, help="CPU seconds of each training")
    parser.add_argument("--views", type=lambda text: text.split(";"), default=list(VIEWS), help="with ; between them")
    parser.add_argument("--home", type=Path, help="folder that keeps the word vectors for another call")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0])
    asked = parser.parse_args()
    seeds.deterministic(1)
    bench = Bench(Data(asked.root.absolute(), 20_000))
    with tempfile.TemporaryDirectory() as other:
        for seed in asked.seeds:
            home = (asked.home or Path(other)).absolute() / str(seed)
            home.mkdir(parents=True, exist_ok=True)
            os.chdir(home)  # where data/weights is
            if not Path(VECTORS).is_file():
                bench.word2vec(2 * asked.seconds, seed)
            for name in filter(None, asked.views):
                found = {"seconds": asked.seconds, **bench.judged(name, asked.seconds, seed)}
                print(json.dumps({"view": name, "seed": seed, **found}), flush=True)
                keep(PATH, (name, seed), {key: round(value, 4) for key, value in found.items()})
    print("\n".join(table(json.loads(PATH.read_text()))))


class Bench:
    """Texts as records, and how they are cut into words."""

    def __init__(self, data: Data) -> None:
        self.data, self.kind = data, Text(Text.Config.model_validate(WORDS))
        self.records, self.others = (
            np.asarray(self.kind.from_client(np.array(texts))) for texts in (data.texts, data.asked)
        )
        self.rows = np.arange(len(self.records))
        self.statistics = self.kind.measure(self.records, self.rows)

    def word2vec(self, seconds: float, seed: int) -> None:
        """The vectors whose neighbors are synonyms."""
        views = Views(self.kind, self.statistics, {"weak": Policy()})
        method = self._trained(
            "word2vec", "word_vectors", views, LoopConfig(batch_size=256, learning_rate=0.01), seconds, seed
        )
        inputs = Inputs(modality=self.kind.choice, statistics=self.statistics)
        save_encoder(
            Path(VECTORS), method.encoder, EncoderSpec(name="word_vectors", dim=method.encoder.dim, inputs=inputs)
        )

    def judged(self, name: str, seconds: float, seed: int) -> dict[str, float]:
        """Accuracy with so few labels, and the pass over the texts that there was time for."""
        policy = Policy.model_validate(VIEWS[name])
        material = self.kind.gather([policy], self.records, self.rows, list(map(str, self.rows)))
        views = Views(self.kind.with_material(material), self.statistics, {"view": policy})
        loop = LoopConfig(batch_size=256, learning_rate=0.005, clip=1.0)
        encoder = self._trained("simclr", "attention_bag", views, loop, seconds, seed).encoder
        known, queries = (embed_all(encoder, views.plain, one) for one in (self.records[:1000], self.others))
        mean, deviation = known.mean(0), known.std(0) + 1e-6
        known, queries = (known - mean) / deviation, (queries - mean) / deviation
        draws = [seeds.numpy_generator(seed, "labels", draw).permutation(1000)[:LABELS] for draw in range(DRAWS)]
        figures = [
            linear_accuracy(known[rows], self.data.classes[rows], queries, self.data.truth, l2=10.0) for rows in draws
        ]
        return {"accuracy": float(np.mean(figures))}

    def _trained(
        self, method: str, encoder: str, views: Views, loop: LoopConfig, seconds: float, seed: int
    ) -> SelfSupervisedMethod:
        def build() -> SelfSupervisedMethod:
            torch.manual_seed(seeds.derive(seed, "weights"))
            network = plugins.build("encoder", PluginChoice(name=encoder), views.input, where="encoder")
            made: SelfSupervisedMethod = plugins.build(
                "self_supervised", PluginChoice(name=method), network, where="method", kind="tokens"
            )
            return made

        trained, _ = run_trial(build, Corpus(self.records, self.rows, views), loop, seconds, seed=seed)
        assert isinstance(trained, SelfSupervisedMethod)
        return trained


def section(kept: dict[str, Any]) -> str:
    """For docs/methods.md."""
    several = [run for runs in kept.values() for run in runs.values()]
    seconds = sorted({run["seconds"] for run in several})
    lines = [
        "#### Views of texts",
        "",
        "`python -m benchmarks.text_views`: AG News, `simclr` over `attention_bag`, 20,000 texts, hardly trained:",
        f"{seconds[0]:g} CPU seconds, one thread. Logistic regression on {LABELS} labels ({DRAWS} draws) and 2,000",
        "test texts, mean over seeds with its interval. Synonyms: the nearest five by own word vectors.",
        "",
        *table(kept),
        "",
    ]
    return "\n".join(lines)


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each view."""
    rows = [
        f"| {name} | {mean_and_interval([run['accuracy'] for run in runs.values()])} |" for name, runs in kept.items()
    ]
    return ["| view | accuracy, 40 labels |", "|---|---|", *rows]


if __name__ == "__main__":
    main()
