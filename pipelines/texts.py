"""`winnow texts FILE`: all settings that suit texts, written into params.yaml at once."""

import sys
from pathlib import Path
from typing import Any

from components.core.config import read_params
from components.core.errors import WinnowError
from components.datasets.sources import Columns, Item, open_source
from components.modalities.text import Text
from pipelines.own_pictures import Given, place_for, settle
from pipelines.photos import STEPPED

POLICIES: dict[str, dict[str, Any]] = {
    "weak": {},
    "view": {"crop": [0.3, 0.7]},
    "strong": {"crop": [0.3, 0.7], "drop": 0.2},
}
STEPS, BATCH, FEWEST, MOST_EPOCHS = 640, 256, 32, 100  # of word2vec: texts of a batch, at most and at least
METHOD = {"name": "word2vec", "window": 40}  # words of a short text tell what it is about wherever they stand
RATE = 0.01
SPREAD = {"name": "label_spreading"}  # a text's neighbors are often of several classes
THRESHOLD = 0.4  # of its probabilities, which are flat: above it nine in ten were right
ADAPTED = {"name": "naive_bayes"}  # words outvote what neighbors got wrong
NAMED = 12  # classes that are said


def choose_for_texts(source: str, *, budget: int, columns: dict[str, Any]) -> None:
    """Write them, and say each; then `winnow repro` runs.

    budget: labels that the source may give; columns: of a table, by what they hold, where their names do not say it,
    and which cells mean that there is no class.
    Raises WinnowError, and writes nothing, for a source that cannot be read and for a value that cannot be.
    """
    place = place_for(source, Text)
    named = Columns.model_validate(columns) if columns else None
    texts = open_source(place, root=Path(), download=False, columns=named, suffixes=Text.suffixes, kind=Text.gives)
    if columns and not texts.endings:
        raise WinnowError(f"{source} is no table, so it has no columns: leave out --{', --'.join(columns)}.")
    classes = texts.classes()
    count = sum(isinstance(one, Item) for one in texts.items())
    if not count:
        raise WinnowError(f"{source} holds no texts: name a table with a row for each, or a folder of .txt files.")
    batch = max(FEWEST, min(BATCH, count // 8))
    before = read_params()
    asked: Given = {
        ("ingest", "source"): place,
        ("ingest", "modality"): {"name": "text"},
        **({("ingest", "columns"): columns} if columns else {}),
        ("augment", "policies"): POLICIES,
        ("label", "budget"): budget,
        ("pretrain", "method"): METHOD,
        ("pretrain", "encoder"): {"name": "word_vectors"},
        ("pretrain", "epochs"): max(1, min(MOST_EPOCHS, round(STEPS * batch / max(1, count)))),
        ("pretrain", "batch_size"): batch,
        ("pretrain", "learning_rate"): RATE,
        ("pseudo_label", "method"): SPREAD,
        ("pseudo_label", "threshold"): THRESHOLD,
        ("finetune", "method"): ADAPTED,
    }
    out = [("pretrain", "weights"), *(("finetune", name) for name in STEPPED)]
    if not columns and "columns" in before.get("ingest", {}):
        out.append(("ingest", "columns"))
    settle(asked, out)
    for sentence in texts.notices():
        print(f"winnow: {sentence}", file=sys.stderr)
    print(f"winnow: {count:,} texts, {_said(classes, table=bool(texts.endings))}", file=sys.stderr)
    print("Now `winnow repro`.")


def _said(classes: list[str], *, table: bool) -> str:
    if not classes:
        cure = (
            "`--label COLUMN` names the column of classes, if there is one" if table else "a folder for each says them"
        )
        return f"none with a class: {cure}."
    return f"{len(classes)} classes: {', '.join(classes[:NAMED])}{', ...' if len(classes) > NAMED else '.'}"
