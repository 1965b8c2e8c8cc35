"""word2vec beside gensim's in one run: words per second and per CPU second, one thread and two.

`python -m benchmarks.word2vec_speed --root FOLDER --gensim PLACE` with AG News' training table and a folder that holds
gensim (`pip install --target PLACE gensim`), which is no part of the project. Both learn 100 numbers a word by
skip-gram, window 5, five negatives and the same words passed over, from words seen twice. Counted are words of the
vocabulary in the texts, times epochs; cutting texts into words is not timed for either. Each run is a process of its
own, all of them `--repeats` times in turn. `--save` keeps the figures.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks._pipeline import keep
from components.core.config import PluginChoice

PATH = Path(__file__).parent / "results/word2vec_speed.json"
TABLE = "ag_news_train_20k.parquet"
WIDTH, WINDOW, NEGATIVES, SEEN, PASSED, LENGTH = 100, 5, 5, 2, 2.0, 256
BATCH, RATE = 256, 0.01


def main() -> None:
    """Run both in turn and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word2vec_speed", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' training table")
    parser.add_argument("--gensim", type=Path, required=True, help="folder that holds gensim")
    for name, usual in (("epochs", 3), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--run", choices=("winnow", "gensim"), help="of the processes it starts itself")
    parser.add_argument("--threads", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2])
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    if asked.run:
        print(json.dumps({"winnow": winnow, "gensim": gensim}[asked.run](asked.root, asked.epochs, asked.threads[0])))
        return
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(asked.repeats):
        for threads in asked.threads:
            for name in ("winnow", "gensim"):
                found.setdefault((name, threads), []).append(_in_a_process(asked, name, threads))
    for (name, threads), runs in found.items():
        figures = {key: round(median(run[key] for run in runs)) for key in runs[0]}
        print(json.dumps({"of": name, "threads": threads, **figures}), flush=True)
        if asked.save:
            keep(PATH, (name, threads), figures)


def winnow(root: Path, epochs: int, threads: int) -> dict[str, float]:
    """The pipeline's own loop, with cut texts at hand."""
    import torch

    from components.core import seeds
    from components.core.plugins import build
    from components.modalities.text import Text
    from components.modalities.text.policy import Policy
    from components.modalities.views import Views
    from components.training.corpus import Corpus
    from components.training.loop import LoopConfig, train

    seeds.deterministic(threads)
    kind = Text(Text.Config(length=LENGTH))
    records = np.asarray(kind.from_client(np.array(_texts(root))))
    views = Views(kind, kind.measure(records, np.arange(len(records))), {"weak": Policy()})
    corpus = Corpus(records, np.arange(len(records)), views)
    torch.manual_seed(0)
    encoder = build("encoder", _choice("word_vectors", width=WIDTH), views.input, where="pretrain.encoder")
    options = {"window": WINDOW, "negatives": NEGATIVES, "passed_over": PASSED}
    method = build("self_supervised", _choice("word2vec", **options), encoder, where="pretrain.method")
    words = sum(int((views.plain(torch.from_numpy(some)) > 1).sum()) for some in np.array_split(records, 50))
    config = LoopConfig(epochs=epochs, batch_size=BATCH, learning_rate=RATE)
    return _timed(lambda: train(method, corpus, config, seed=0), epochs * words)


def gensim(root: Path, epochs: int, threads: int) -> dict[str, float]:
    """gensim's, with the same words passed over: its `sample` is a share, ours counts in shares of the average word."""
    from gensim.models import Word2Vec  # type: ignore[import-not-found] # no dependency

    from components.modalities.text.words import words

    texts = [words(text.lower())[:LENGTH] for text in _texts(root)]
    settings = {"vector_size": WIDTH, "window": WINDOW, "negative": NEGATIVES, "min_count": SEEN, "sg": 1, "seed": 0}
    model = Word2Vec(**settings, workers=threads)
    model.build_vocab(texts)
    share = PASSED / len(model.wv)
    model = Word2Vec(**settings, workers=threads, sample=share)
    model.build_vocab(texts)
    counted = sum(word in model.wv.key_to_index for text in texts for word in text)
    return _timed(lambda: model.train(texts, total_examples=len(texts), epochs=epochs), epochs * counted)


def _choice(name: str, **options: float) -> PluginChoice:
    return PluginChoice.model_validate({"name": name, **options})


def _timed(work: Any, words: int) -> dict[str, float]:
    began, spent = time.monotonic(), time.process_time()
    work()
    seconds, cpu = time.monotonic() - began, time.process_time() - spent
    return {"words": words, "words_per_second": words / seconds, "words_per_cpu_second": words / cpu}


def _texts(root: Path) -> list[str]:
    import pandas as pd

    found: list[str] = pd.read_parquet(root / TABLE, columns=["text"])["text"].tolist()
    return found


def _in_a_process(asked: argparse.Namespace, name: str, threads: int) -> dict[str, float]:
    paths = [str(asked.gensim)] if name == "gensim" else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, str(Path.cwd())])}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, "-m", "benchmarks.word2vec_speed", "--root", str(asked.root), "--gensim", "."]
    command += ["--run", name, "--epochs", str(asked.epochs), "--threads", str(threads)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
