"""What a million texts cost: seconds, CPU seconds and peak memory of each stage up to the first labels, and of select.

`python -m benchmarks.million_texts --root FOLDER` with AG News' training table; `--texts`, `--epochs`, `--threads`
choose. A text is three spans of twenty words, each out of another news text of one class, so that words are as
frequent as there and vectors have something to learn. Every stage is a process of its own; what labels are for runs on
the vectors as well, so that `select` has a model. A line of JSON for each stage; `--save` keeps them.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._measured import measured
from benchmarks._pipeline import keep, settings
from benchmarks.text_few_labels import CHANGES
from components.modalities.text.words import words
from pipelines.inline import UNLABELED, Params

PATH = Path(__file__).parent / "results/million_texts.json"
TABLE = "ag_news_train_20k.parquet"
STAGES = (*UNLABELED, "label", "pseudo_label", "finetune", "select")
SPANS, SPAN, LABELS = 3, 20, 40


def main() -> None:
    """Make the table and run every stage, one after another."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million_texts", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder with AG News' training table")
    for name, usual in (("texts", 1_000_000), ("epochs", 1), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--home", type=Path, help="folder that keeps what was made, for another call")
    parser.add_argument("--stages", type=lambda text: text.split(","), default=STAGES)
    parser.add_argument("--save", action="store_true", help="keep the figures")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder)
        source = home / "texts.csv"
        if not source.is_file():
            write_table(asked.root / TABLE, source, asked.texts)
        params = settings_for(source, epochs=asked.epochs, threads=asked.threads)
        for stage in asked.stages:
            figures = measured(stage, home, params)
            print(json.dumps({"stage": stage, **figures}), file=sys.stderr, flush=True)
            if asked.save:
                keep(PATH, (asked.texts, stage), figures)


def settings_for(source: Path, *, epochs: int, threads: int) -> Params:
    """What `winnow texts` writes, with so many epochs."""
    changes: dict[str, Any] = {
        **CHANGES,
        "threads": threads,
        "ingest": {"modality": {"name": "text"}, "leaks": "drop", "source": str(source.absolute())},
        "pretrain": {**CHANGES["pretrain"], "epochs": epochs},
        "label": {"budget": LABELS},
        "select": {"budget": LABELS},
    }
    return settings(**changes)


def write_table(news: Path, path: Path, count: int) -> None:
    """A CSV of `count` made texts with their classes, the same each time."""
    import pandas as pd

    frame = pd.read_parquet(news, columns=["text", "label_name"])
    spans: dict[str, list[str]] = {}
    for text, label in zip(frame["text"], frame["label_name"], strict=True):
        found = words(text)
        parts = [" ".join(found[start : start + SPAN]) for start in range(0, len(found) - SPAN + 1, SPAN)]
        spans.setdefault(label, []).extend(parts)
    draw, names = np.random.default_rng(0), sorted(spans)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for label in draw.integers(len(names), size=count):
            of_class = spans[names[label]]
            chosen = draw.integers(len(of_class), size=SPANS)
            rows.writerow([" ".join(of_class[one] for one in chosen), names[label]])


if __name__ == "__main__":
    main()
