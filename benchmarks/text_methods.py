"""Self-supervised methods on texts for the same CPU minutes, beside their untrained networks and TF-IDF.

`python -m benchmarks.text_methods --root FOLDER` with AG News' two tables. Each method is trained on training texts
alone, one thread; 1,000 labeled ones then judge its vectors, standardized, by the 20 nearest (k-NN) and by a logistic
regression (linear), on 2,000 test texts. Language models also say how well they foretell those: `bits_per_byte`, and
from it the perplexity of a word with its blank. `--save` keeps the figures.
"""

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks._pipeline import keep, mean_and_interval
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.datasets.sample_store import About, Store
from components.judging.probes import knn_accuracy, linear_accuracy
from components.methods.contracts import Batch, SelfSupervisedMethod
from components.modalities import Modality
from components.modalities.text import Text
from components.modalities.text.policy import Policy
from components.modalities.views import Views
from components.models.encoders import Encoder
from components.models.start_weights import load_start
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig
from components.training.trial import Trial, run_trial

PATH = Path(__file__).parent / "results/text_methods.json"
TABLES = {"train": "ag_news_train_20k.parquet", "test": "ag_news_test.parquet"}
POLICIES = {"weak": Policy(), "view": Policy(crop=(0.3, 0.7)), "strong": Policy(crop=(0.3, 0.7), drop=0.2)}
LABELED, ASKED, BATCH = 1000, 2000, 32
PIECES, WORDS = {"vocabulary": "bpe", "most": 4000, "length": 64}, {"vocabulary": "words", "length": 128}
WORD_PIECES = {**PIECES, "vocabulary": "wordpiece"}
SMALL = {"name": "transformer", "depth": 2}  # half the blocks it usually has, for twice the steps


@dataclass(frozen=True)
class Run:
    """A method, its encoder and how its texts are cut."""

    method: str
    encoder: dict[str, Any]
    modality: dict[str, Any] = field(default_factory=lambda: PIECES)
    rate: float = 0.002
    batch: int = BATCH
    options: dict[str, Any] = field(default_factory=dict)  # of the method
    loop: dict[str, Any] = field(default_factory=dict)  # more of how it is trained


RUNS = {
    "word2vec": Run("word2vec", {"name": "word_vectors"}, WORDS, 0.01, 256),
    "masked_lm": Run("masked_lm", SMALL, WORD_PIECES, 0.004, options={"hidden": 0.3}),
    "masked_lm_hour": Run("masked_lm", SMALL, WORD_PIECES, 0.004, options={"hidden": 0.3}),  # the same, for long
    "masked_lm_lstm": Run("masked_lm", {"name": "lstm"}, WORD_PIECES, 0.01, options={"hidden": 0.3}),
    "next_token": Run("next_token", {**SMALL, "causal": True}, rate=0.004),
    "next_token_lstm": Run("next_token", {"name": "lstm", "bidirectional": False, "hidden": 256}, rate=0.01),
    "bidirectional_lm": Run("bidirectional_lm", {"name": "lstm"}, rate=0.01),
    "span_corruption": Run("span_corruption", SMALL, WORD_PIECES, 0.004, options={"hidden": 0.3}),
    "simcse": Run("simcse", SMALL, PIECES, 0.001, 128),
    "simcse_bag": Run("simcse", {"name": "attention_bag"}, PIECES, 0.005, 256),
    "spans": Run("simclr", SMALL, PIECES, 0.001, 128),
    "spans_bag": Run("simclr", {"name": "attention_bag"}, PIECES, 0.005, 256),
}


def main() -> None:
    """Run what the command line asks for, print each figure, and the table where they are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text_methods", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' tables")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=["tf_idf", "unigram", *RUNS])
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU minutes of each training")
    parser.add_argument("--texts", type=int, default=20_000, help="training texts")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0])
    parser.add_argument("--given", type=Path, help="folder of a sentence encoder that others trained, for `given`")
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    seeds.deterministic(1)
    data = Data(asked.root, asked.texts)
    for seed in asked.seeds:
        for name in asked.methods:
            others = {"tf_idf": data.tf_idf, "unigram": data.unigram, "given": lambda: data.given(asked.given)}
            found = others[name]() if name in others else data.trained(RUNS[name], asked.minutes, seed)
            figures = {key: round(value, 4) for key, value in found.items()}
            print(json.dumps({"run": name, "seed": seed, **figures}), flush=True)
            if asked.save:
                keep(PATH, (name, seed), {"texts": asked.texts, "minutes": asked.minutes, **figures})
    if asked.save:
        print("\n".join(table(json.loads(PATH.read_text()))))


def untrained(run: Run, views: Views, seed: int) -> SelfSupervisedMethod:
    """The method with its initial weights."""
    torch.manual_seed(seeds.derive(seed, "weights"))
    encoder = plugins.build("encoder", PluginChoice(**run.encoder), views.input, where="encoder")
    method: SelfSupervisedMethod = plugins.build(
        "self_supervised", PluginChoice(name=run.method, **run.options), encoder, where="method", kind="tokens"
    )
    return method


def trained(run: Run, views: Views, records: Any, minutes: float, seed: int) -> tuple[SelfSupervisedMethod, Trial]:
    """The method after so many CPU minutes of training on all records."""
    clip = 1.0 if run.method != "word2vec" else None
    loop = LoopConfig(batch_size=run.batch, learning_rate=run.rate, clip=clip, **run.loop)
    corpus = Corpus(stored(views.modality, records), np.arange(len(records)), views)
    method, trial = run_trial(lambda: untrained(run, views, seed), corpus, loop, minutes * 60, seed=seed)
    assert isinstance(method, SelfSupervisedMethod)
    return method, trial


def stored(kind: Modality, records: Any) -> Store:
    """Texts `(N, L)` as the pipeline keeps them, each as long as it is."""
    lengths = (records != 0).sum(1)
    about = About(modality=kind.choice, dtype=kind.dtype, shape=kind.shape)
    return Store(about, records[records != 0], np.concatenate([[0], np.cumsum(lengths)]))


def sentence_encoder(folder: Path) -> tuple[Encoder, Views]:
    """One that others trained, and how it looks at texts."""
    kind, weights = Text(Text.Config(length=128)), folder / "model.safetensors"
    statistics = kind.brought(weights)
    assert statistics is not None, f"{folder} holds no tokenizer.json"
    views, choice = Views(kind, statistics, POLICIES), PluginChoice(name="sentence_transformers")
    encoder: Encoder = plugins.build("encoder", choice, views.input, where="encoder", kind="tokens")
    load_start(weights, encoder)
    return encoder, views


class Data:
    """AG News: training texts, of which `LABELED` have their label, and test texts."""

    def __init__(self, root: Path, count: int) -> None:
        import pandas as pd

        tables = {split: pd.read_parquet(root / name) for split, name in TABLES.items()}
        draw = np.random.default_rng(0)
        chosen = tables["train"].iloc[draw.permutation(len(tables["train"]))[:count]]
        asked = tables["test"].iloc[draw.permutation(len(tables["test"]))[:ASKED]]
        self.texts, self.asked = chosen["text"].tolist(), asked["text"].tolist()
        self.classes, self.truth = chosen["label"].to_numpy(copy=True)[:LABELED], asked["label"].to_numpy(copy=True)

    def tf_idf(self) -> dict[str, float]:
        """scikit-learn's logistic regression on the words of the labeled texts, weighed by all training texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        words = TfidfVectorizer(min_df=2, sublinear_tf=True).fit(self.texts)
        model = LogisticRegression(max_iter=2000).fit(words.transform(self.texts[:LABELED]), self.classes)
        return {"linear": float((model.predict(words.transform(self.asked)) == self.truth).mean())}

    def unigram(self) -> dict[str, float]:
        """What is foretold by how frequent pieces are in the training texts, and nothing else."""
        kind = Text(Text.Config.model_validate(PIECES))
        records, others = (np.asarray(kind.from_client(np.array(texts))) for texts in (self.texts, self.asked))
        statistics = kind.measure(records, np.arange(len(records)))
        given, views = kind.input(statistics), kind.plain(statistics)(torch.from_numpy(others))
        said, sizes = views[views > 0], torch.tensor(given.sizes)
        shares = torch.tensor(given.frequencies) + 1e-7
        bits = float(-shares[said].log2().sum() / sizes[said].sum())
        first = float((said == shares.argmax()).double().mean())
        return {"accuracy": first, "bits_per_byte": bits, "word_perplexity": self._of_a_word(bits)}

    def given(self, folder: Path) -> dict[str, float]:
        """What vectors are worth of weights that others trained, as they are."""
        encoder, views = sentence_encoder(folder)
        kind = views.modality
        asked = (np.asarray(kind.from_client(np.array(texts))) for texts in (self.texts[:LABELED], self.asked))
        return self._probed(*(embed_all(encoder, views.plain, records) for records in asked))

    def _of_a_word(self, bits_per_byte: float) -> float:
        long = sum(len(text.encode()) for text in self.asked) / sum(len(text.split()) for text in self.asked)
        return 2 ** (bits_per_byte * long)

    def trained(self, run: Run, minutes: float, seed: int) -> dict[str, float]:
        """What the method's vectors are worth before and after, and what it says of test texts."""
        kind = Text(Text.Config.model_validate(run.modality))
        records, others = (np.asarray(kind.from_client(np.array(texts))) for texts in (self.texts, self.asked))
        began = time.process_time()
        views = Views(kind, kind.measure(records, np.arange(len(records))), POLICIES)
        measured = time.process_time() - began
        before = self._judged(untrained(run, views, seed), views, records, others)
        method, trial = trained(run, views, records, minutes, seed)
        after = self._judged(method, views, records, others)
        return {
            "cpu_seconds": trial.cpu_seconds,
            "vocabulary_cpu_seconds": measured,
            "texts_per_second": trial.samples_per_second,
            "epochs": trial.epochs,
            "first_loss": trial.history[0]["loss"],
            "last_loss": trial.history[-1]["loss"],
            **{f"untrained_{name}": value for name, value in before.items()},
            **after,
        }

    def _judged(self, method: SelfSupervisedMethod, views: Views, records: Any, others: Any) -> dict[str, float]:
        known = embed_all(method.encoder, views.plain, records, np.arange(LABELED))
        queries = embed_all(method.encoder, views.plain, others)
        return {**self._probed(known, queries), **self._foretold(method, views, others)}

    def _probed(self, known: Any, queries: Any) -> dict[str, float]:
        mean, deviation = known.mean(0), known.std(0) + 1e-6
        parts = ((known - mean) / deviation, self.classes, (queries - mean) / deviation, self.truth)
        return {"knn": knn_accuracy(*parts), "linear": linear_accuracy(*parts, l2=10.0)}

    def _foretold(self, method: SelfSupervisedMethod, views: Views, others: Any) -> dict[str, float]:
        """The method's own figures on test texts, of which none was trained on."""
        method.eval()
        sums: dict[str, list[float]] = {}
        with torch.no_grad():
            for start in range(0, len(others), BATCH):
                keys = np.arange(start, min(start + BATCH, len(others)))
                seen = views.plain(torch.from_numpy(others[keys]))
                batch = Batch([seen] * len(method.views), keys=torch.from_numpy(keys))
                batch.generator.manual_seed(start)
                for name, value in method.training_step(batch).metrics.items():
                    sums.setdefault(name, []).append(float(value))
        found = {name: float(np.mean(values)) for name, values in sums.items() if name != "perplexity"}
        if "bits_per_byte" in found:
            found["word_perplexity"] = self._of_a_word(found["bits_per_byte"])
        return found


def section(kept: dict[str, Any]) -> str:
    """For docs/methods.md."""
    several = [run for runs in kept.values() for run in runs.values()]
    minutes = sorted({round(run["cpu_seconds"] / 60, 1) for run in several if "cpu_seconds" in run})
    texts = ", ".join(f"{count:,}" for count in sorted({run["texts"] for run in several}))
    lines = [
        "### Texts",
        "",
        f"`python -m benchmarks.text_methods`: AG News, {texts} training texts without labels, four classes, for",
        f"{minutes[0]:g} to {minutes[-1]:g} CPU minutes, one thread (the last column). Then 1,000 labeled training",
        "texts judge the vectors, standardized, on 2,000 test texts: the 20 nearest vote (k-NN), a logistic regression",
        "(linear), and that of the same network untrained. Held-out texts: what a language model says of the test",
        "texts; a word is one with its blank. Pieces: 4,000 byte pairs, 64 of a text; the transformer has two blocks.",
        "",
        *table(kept),
        "",
    ]
    return "\n".join(lines)


def table(kept: dict[str, Any]) -> list[str]:
    """A row for each run, the best linear probe first."""
    lines = ["| | k-NN | linear | untrained | held-out texts | texts/s | CPU min |", "|---|---|---|---|---|---|---|"]
    rows = []
    for name, runs in kept.items():
        several = list(runs.values())
        cells = [
            mean_and_interval([run[key] for run in several]) if key in several[0] else ""
            for key in ("knn", "linear", "untrained_linear")
        ]
        foretold = {
            key: float(np.mean([run[key] for run in several]))
            for key in ("masked_accuracy", "accuracy", "bits_per_byte", "word_perplexity")
            if key in several[0]
        }
        said = ", ".join(f"{key.replace('_', ' ')} {value:.3g}" for key, value in foretold.items())
        speed = f"{np.mean([run['texts_per_second'] for run in several]):.0f}" if "cpu_seconds" in several[0] else ""
        spent = f"{np.mean([run['cpu_seconds'] for run in several]) / 60:.1f}" if "cpu_seconds" in several[0] else ""
        order = float(np.mean([run.get("linear", 0) for run in several]))
        rows.append((-order, f"| {' | '.join([title(name), *cells, said, speed, spent])} |"))
    return [*lines, *(row for _, row in sorted(rows))]


def title(name: str) -> str:
    """What was run, in words."""
    if name not in RUNS:
        others = {"unigram": "how frequent pieces are", "given": "all-MiniLM-L6-v2 as it is"}
        return {"tf_idf": "TF-IDF, logistic regression", **others}[name]
    run = RUNS[name]
    options = "".join(f", {key} {value}" for key, value in run.options.items())
    return f"{run.method}{options} over {run.encoder['name']}"


if __name__ == "__main__":
    main()
