"""Language models on little text: what networks say of WikiText-2's test file, beside Kneser-Ney n-grams.

`python -m benchmarks.language_models --root FOLDER` with `wikitext2_valid.txt.gz`, which all learn from, and
`wikitext2_test.txt.gz`, which measures. A text is `WORDS` words of a paragraph, or what is left of it; nothing before
it is known to any model. Perplexity of a word, `exp(nats / words)`, a word being what stands between blanks; bits of
a byte. `--choose` measures on every tenth paragraph of the training file, which is then not learned from: settings are
chosen there. `--save` keeps the figures.
"""

import argparse
import gzip
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._kneser_ney import KneserNey
from benchmarks._pipeline import keep
from benchmarks.text_methods import POLICIES, Run, trained
from components.core import seeds
from components.methods.contracts import Batch, SelfSupervisedMethod
from components.modalities.text import Text
from components.modalities.views import Views

PATH = Path(__file__).parent / "results/language_models.json"
FILES = {"train": "wikitext2_valid.txt.gz", "test": "wikitext2_test.txt.gz"}
WORDS, TENTH, AT_ONCE = 64, 10, 32
PIECES = {"vocabulary": "bpe", "most": 4000, "length": 256}
ORDERS = (1, 2, 3, 4, 5)
LSTM = {"name": "lstm", "width": 128, "hidden": 256, "bidirectional": False}
GPT = {"name": "transformer", "width": 128, "depth": 3, "heads": 4, "causal": True}
ELMO = {"name": "lstm", "width": 128, "hidden": 256}
RUNS = {
    "lstm": Run("next_token", LSTM, PIECES, 0.01, 16, {"dropout": 0.5}),
    "gpt": Run("next_token", GPT, PIECES, 0.004, 16, {"dropout": 0.2}),
    "elmo": Run("bidirectional_lm", ELMO, PIECES, 0.01, 16, {"dropout": 0.5}),
}


def main() -> None:
    """Run what the command line asks for, and print each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.language_models", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with WikiText-2's two files")
    parser.add_argument("--models", type=lambda text: text.split(","), default=["n_grams", *RUNS])
    parser.add_argument("--minutes", type=float, default=10.0, help="CPU minutes of each training")
    parser.add_argument("--set", type=json.loads, default={}, help="settings of a run to change, in JSON")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--choose", action="store_true", help="measure on a part of the training file")
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    seeds.deterministic(1)
    data = Data(*read(asked.root, choose=asked.choose), asked.set.get("modality", PIECES))
    for name in asked.models:
        if name == "n_grams":
            found = {f"{order}-grams": data.n_grams(order) for order in ORDERS}
        else:
            found = {name: data.network(replace(RUNS[name], **asked.set), asked.minutes, asked.seed)}
        for title, figures in found.items():
            print(json.dumps({"model": title, **{key: round(value, 4) for key, value in figures.items()}}), flush=True)
            if asked.save:
                keep(PATH, (title,), figures)


def read(root: Path, *, choose: bool) -> tuple[list[str], list[str]]:
    """Texts to learn from, and others."""
    known, others = (paragraphs(root / FILES[part]) for part in ("train", "test"))
    if choose:
        others = known[::TENTH]
        known = [one for number, one in enumerate(known) if number % TENTH]
    return _cut(known), _cut(others)


class Data:
    """Texts, and the byte pairs of those to learn from."""

    def __init__(self, texts: list[str], others: list[str], modality: dict[str, Any]) -> None:
        kind = Text(Text.Config.model_validate(modality))
        self.records, self.others = (np.asarray(kind.from_client(np.array(part))) for part in (texts, others))
        self.views = Views(kind, kind.measure(self.records, np.arange(len(self.records))), POLICIES)
        self.sizes = torch.tensor(self.views.input.sizes)
        self.words = sum(len(text.split()) for text in others)
        self.bytes = float(self.sizes[self._numbers(self.others)].sum())

    def n_grams(self, order: int) -> dict[str, float]:
        """Interpolated, with modified Kneser-Ney smoothing."""
        began = time.process_time()
        known, others = (_lists(self._numbers(part)) for part in (self.records, self.others))
        nats = KneserNey(known, order, self.views.input.symbols - 2).surprise(others)
        return {**self._figures(nats), "cpu_seconds": time.process_time() - began}

    def network(self, run: Run, minutes: float, seed: int) -> dict[str, float]:
        """What a method says after so many CPU minutes; of both readers the mean, where there are two."""
        method, trial = trained(run, self.views, self.records, minutes, seed)
        return {
            **self._figures(self._surprise(method)),
            "cpu_seconds": trial.cpu_seconds,
            "epochs": trial.epochs,
            "texts_per_second": trial.samples_per_second,
            "trained_perplexity": trial.history[-1]["perplexity"],
            "parameters": float(sum(one.numel() for one in method.parameters())),
        }

    def _surprise(self, method: SelfSupervisedMethod) -> float:
        method.eval()
        total = 0.0
        with torch.no_grad():
            for rows in np.array_split(self.others, -(-len(self.others) // AT_ONCE)):
                numbers = self._numbers(rows)
                loss = method.training_step(Batch([numbers])).loss
                total += float(loss) * int((numbers > 0).sum())
        return total

    def _numbers(self, records: Any) -> torch.Tensor:
        return self.views.plain(torch.from_numpy(np.asarray(records)))

    def _figures(self, nats: float) -> dict[str, float]:
        return {
            "word_perplexity": math.exp(nats / self.words),
            "bits_per_byte": nats / math.log(2) / self.bytes,
        }


def paragraphs(path: Path) -> list[str]:
    """Lines that are not empty."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip()]


def _cut(paragraphs: Sequence[str]) -> list[str]:
    """Of at most `WORDS` words each."""
    words = [paragraph.split() for paragraph in paragraphs]
    return [" ".join(one[start : start + WORDS]) for one in words for start in range(0, len(one), WORDS)]


def _lists(numbers: torch.Tensor) -> list[list[int]]:
    return [[number - 2 for number in row if number] for row in numbers.tolist()]


if __name__ == "__main__":
    main()
