"""Likeness of sentences, STS-B: Spearman's correlation of cosines with people's scores, none of which is trained on.

`python -m benchmarks.sts --root FOLDER` with `stsb_train`, `stsb_dev`, `stsb_test`, `ag_news_train_20k` (parquet) and
`wikitext2_valid.txt.gz`, whose texts alone are learned from: those of STS-B's train split, and with `--texts all` the
others too. Settings are to be chosen by the dev split. `--save` keeps the figures.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._pipeline import keep
from benchmarks.language_models import FILES, paragraphs
from benchmarks.text_methods import POLICIES, Run, sentence_encoder, trained, untrained
from components.core import seeds
from components.modalities.text import Text
from components.modalities.text.words import words
from components.modalities.views import Views
from components.training.inference import embed_all

PATH = Path(__file__).parent / "results/sts.json"
AG_NEWS = "ag_news_train_20k.parquet"
GRAMS, SMOOTHING = (2, 4), 3e-3  # characters of a word's pieces; SIF's a: both by the dev split
WORDS, PIECES = {"vocabulary": "words", "seen": 1, "length": 128}, {"vocabulary": "bpe", "length": 128}
BAG, AVERAGE = {"name": "attention_bag"}, {"name": "word_vectors", "width": 300}
RUNS = {
    "word2vec": Run("word2vec", AVERAGE, WORDS, 0.01, 256),
    "spans_words": Run("simclr", AVERAGE, WORDS, 0.002, 256),
    "spans_pieces": Run("simclr", AVERAGE, PIECES, 0.002, 256),
    "spans_bag": Run("simclr", BAG, PIECES, 0.005, 256),
    "simcse_bag": Run("simcse", BAG, PIECES, 0.002, 256),
}
Rows = npt.NDArray[Any]


def main() -> None:
    """Run what the command line asks for, and print each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sts", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with the data")
    parser.add_argument("--models", type=lambda text: text.split(","), default=["tf_idf", "grams", *RUNS])
    parser.add_argument("--texts", choices=["own", "all"], default="own", help="what is learned from")
    parser.add_argument("--minutes", type=float, default=1.0, help="CPU minutes of each training")
    parser.add_argument("--given", type=Path, help="folder of a sentence encoder that others trained, for `given`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    seeds.deterministic(1)
    data = Data(asked.root, everything=asked.texts == "all")
    for name in asked.models:
        others = {"tf_idf": data.tf_idf, "grams": data.grams, "given": lambda: data.given(asked.given)}
        found = others[name]() if name in others else data.learned(RUNS[name], asked.minutes, asked.seed)
        figures = {key: round(value, 4) for key, value in found.items()}
        print(json.dumps({"model": name, "texts": asked.texts, **figures}), flush=True)
        if asked.save:
            keep(PATH, (name, asked.texts), figures)


class Data:
    """Texts to learn from, and scored pairs."""

    def __init__(self, root: Path, *, everything: bool) -> None:
        tables = {part: pd.read_parquet(root / f"stsb_{part}.parquet") for part in ("train", "dev", "test")}
        own = [*tables["train"]["sentence1"], *tables["train"]["sentence2"]]
        others = [*pd.read_parquet(root / AG_NEWS)["text"], *paragraphs(root / FILES["train"])] if everything else []
        self.texts = [*dict.fromkeys(own), *others]
        self.pairs = {part: tables[part] for part in ("dev", "test")}

    def tf_idf(self) -> dict[str, float]:
        """scikit-learn's, of characters of words."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        model = TfidfVectorizer(analyzer="char_wb", ngram_range=GRAMS, sublinear_tf=True).fit(self.texts)
        return self._judged(lambda texts: model.transform(texts).toarray())

    def grams(self) -> dict[str, float]:
        """Nothing learned but how frequent words are: a word's vector counts its pieces and has length 1; a sentence is
        the sum of its words, each once, weighed by SIF. Words that were never seen have pieces too.
        """
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.preprocessing import normalize

        counts = Counter(word for text in self.texts for word in _words(text))
        total = sum(counts.values())
        said = sorted({word for table in self.pairs.values() for text in _both(table) for word in _words(text)})
        vectors = normalize(CountVectorizer(analyzer=_pieces).fit_transform(said))
        place = {word: number for number, word in enumerate(said)}
        weights = np.array([SMOOTHING / (SMOOTHING + max(counts[word], 0.5) / total) for word in said])

        def summed(texts: list[str]) -> Rows:
            once = [[place[word] for word in dict.fromkeys(_words(text))] for text in texts]
            held = np.zeros((len(texts), len(said)), np.float32)
            for row, numbers in zip(held, once, strict=True):
                row[numbers] = weights[numbers]
            return np.asarray(held @ vectors)

        return self._judged(summed)

    def learned(self, run: Run, minutes: float, seed: int) -> dict[str, float]:
        """What an encoder says before and after so many CPU minutes."""
        kind = Text(Text.Config.model_validate(run.modality))
        records = np.asarray(kind.from_client(np.array(self.texts)))
        views = Views(kind, kind.measure(records, np.arange(len(records))), POLICIES)
        before = self._of(untrained(run, views, seed).encoder, views)
        method, trial = trained(run, views, records, minutes, seed)
        after = self._of(method.encoder, views)
        spent = {"cpu_seconds": trial.cpu_seconds, "epochs": trial.epochs}
        return {**after, **{f"untrained_{key}": value for key, value in before.items()}, **spent}

    def given(self, folder: Path) -> dict[str, float]:
        """What vectors say of weights that others trained, as they are."""
        began = time.process_time()
        found = self._of(*sentence_encoder(folder))
        return {**found, "cpu_seconds": time.process_time() - began}

    def _of(self, encoder: Any, views: Any) -> dict[str, float]:
        kind = views.modality
        return self._judged(
            lambda texts: embed_all(encoder, views.plain, np.asarray(kind.from_client(np.array(texts))))
        )

    def _judged(self, vectors: Any) -> dict[str, float]:
        """By split; vectors: of a list of texts, a row each."""
        from scipy.stats import spearmanr

        found = {}
        for part, table in self.pairs.items():
            first, second = (vectors(table[name].tolist()) for name in ("sentence1", "sentence2"))
            lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
            cosines = (first * second).sum(1) / np.maximum(lengths, 1e-12)
            found[part] = float(spearmanr(cosines, table["score"])[0])
        return found


def _both(table: pd.DataFrame) -> list[str]:
    return [*table["sentence1"], *table["sentence2"]]


def _words(text: str) -> list[str]:
    return [word for word in words(text.lower()) if word[0].isalnum()]


def _pieces(word: str) -> list[str]:
    """The word itself and runs of its characters, its ends marked, as in Bojanowski et al. 2017."""
    marked = f"<{word}>"
    sizes = range(GRAMS[0], GRAMS[1] + 1)
    return [marked, *(marked[start : start + size] for size in sizes for start in range(len(marked) - size + 1))]


if __name__ == "__main__":
    main()
