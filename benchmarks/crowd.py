"""Label models on the answers of real crowds.

`python -m benchmarks.crowd` (`--save` keeps the figures for docs/methods.md); WINNOW_BENCHMARK_DATA names the folder
that holds weak_supervision/crowd_labels.zip. Two sets with classes, as collected for the survey of Zheng et al. 2017
(PVLDB 10(5)): pictures of ducks or not, and sentiments of faces; the third one there holds intensities, which are no
classes. Beside the label models stands cleanlab's majority vote, which settles ties by how often a class is named.
"""

import argparse
import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._pipeline import keep
from benchmarks.dirty_folder import DATA
from benchmarks.self_supervised import RESULTS
from components.core import plugins
from components.core.config import PluginChoice
from components.methods.label_models import LabelModel, Votes, accuracies

ARCHIVE, PATH = "weak_supervision/crowd_labels.zip", RESULTS / "crowd.json"
SETS = ("duck_identification", "face_sentiment")
FEW, DRAWS = (3, 5), 10  # answers kept of each item, and how often they are drawn
Integers = npt.NDArray[np.int64]


def main() -> None:
    """Run what the command line asks for; a line of JSON for each cell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    if not (DATA / ARCHIVE).is_file():
        print(f"skipped: {DATA / ARCHIVE} is not there; name its folder in WINNOW_BENCHMARK_DATA")
        return
    for name in SETS:
        votes, truth = read_crowd(DATA / ARCHIVE, name)
        facts = {"items": votes.shape[0], "annotators": votes.shape[1], "classes": votes.shape[2]}
        _tell(asked.save, [name, "facts"], {**facts, "votes": len(votes.items)})
        for model in plugins.names("label_model"):
            _tell(asked.save, [name, model], figures(model, votes, truth))
        _tell(asked.save, [name, "cleanlab"], _cleanlab(votes, truth))


def read_crowd(archive: Path, name: str) -> tuple[Votes, Integers]:
    """The answers of one set as votes, and the true classes of its items."""
    with zipfile.ZipFile(archive) as packed:
        answers, truths = (
            list(csv.DictReader(io.StringIO(packed.read(f"{name}/{table}.csv").decode("utf-8"))))
            for table in ("answer", "truth")
        )
    known = {row["question"]: int(row["truth"]) for row in truths}
    items, workers = sorted(known), sorted({row["worker"] for row in answers})
    place, who = {item: n for n, item in enumerate(items)}, {worker: n for n, worker in enumerate(workers)}
    triples = [(place[row["question"]], who[row["worker"]], int(row["answer"])) for row in answers]
    columns = np.array(triples, np.int64).T
    return Votes(*columns, (len(items), len(workers), int(columns[2].max()) + 1)), np.array([known[i] for i in items])


def figures(name: str, votes: Votes, truth: Integers) -> dict[str, float]:
    """Accuracy with all answers and with few of each item; and how far annotators' accuracies are from the true ones.

    annotator_error: mean absolute difference, weighed by their answers.
    """
    model: LabelModel = plugins.build("label_model", PluginChoice(name=name), where="benchmark")
    distributions = model.fit(votes)
    actual, counts = accuracies(votes, np.eye(votes.shape[2])[truth]), np.bincount(votes.annotators)
    off = np.abs(accuracies(votes, distributions) - actual)
    few = {
        f"accuracy_{count}": float(np.mean([_accuracy(model.fit(part), truth) for part in _parts(votes, count)]))
        for count in FEW
    }
    every = {
        "accuracy": _accuracy(distributions, truth),
        **few,
        "annotator_error": float(np.average(off, weights=counts)),
    }
    return {key: round(value, 4) for key, value in every.items()}


def table(kept: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of Markdown: a row per set and label model."""
    few = " | ".join(f"{count} answers each" for count in FEW)
    lines = [
        f"| answers | label model | all answers | {few} | annotators' accuracy off by |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in kept.items():
        facts = rows["facts"]
        title = f"{name.replace('_', ' ')}: {facts['votes']} by {facts['annotators']} on {facts['items']}"
        title += f", {facts['classes']} classes"
        for model, row in rows.items():
            if model != "facts":
                keys = ("accuracy", *(f"accuracy_{count}" for count in FEW), "annotator_error")
                cells = [f"{row[key]:.3f}" if key in row else "" for key in keys]
                said = "cleanlab's majority vote" if model == "cleanlab" else model
                lines.append(f"| {' | '.join([title, said, *cells])} |")
    return lines


def _cleanlab(votes: Votes, truth: Integers) -> dict[str, float]:
    from cleanlab.multiannotator import get_majority_vote_label

    def right(part: Votes) -> float:
        wide = np.full(part.shape[:2], np.nan)
        wide[part.items, part.annotators] = part.classes
        return float((get_majority_vote_label(wide[:, ~np.isnan(wide).all(0)], verbose=False) == truth).mean())

    few = {f"accuracy_{count}": float(np.mean([right(part) for part in _parts(votes, count)])) for count in FEW}
    return {key: round(value, 4) for key, value in {"accuracy": right(votes), **few}.items()}


def _parts(votes: Votes, count: int) -> list[Votes]:
    """`DRAWS` times `count` answers of each item, by chance; the same for every label model."""
    parts = []
    for seed in range(DRAWS):
        order = np.random.default_rng(seed).permutation(len(votes.items))
        rank = np.empty(len(order), np.int64)
        for item in range(votes.shape[0]):
            mine = order[votes.items[order] == item]
            rank[mine] = np.arange(len(mine))
        parts.append(votes.part(rank < count))
    return parts


def _accuracy(distributions: npt.NDArray[np.float64], truth: Integers) -> float:
    return float((distributions.argmax(1) == truth).mean())


def _tell(save: bool, keys: list[str | int], found: dict[str, Any]) -> None:
    print(json.dumps({"/".join(map(str, keys)): found}), flush=True)
    if save:
        keep(PATH, keys, found)


if __name__ == "__main__":
    main()
