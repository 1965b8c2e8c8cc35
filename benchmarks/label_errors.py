"""Labels worth a second look, on photos whose wrong labels are known.

`python -m benchmarks.label_errors` (`--minutes`, `--seeds` choose; `--save` keeps the figures for docs/methods.md);
WINNOW_BENCHMARK_DATA names the folder that holds vision/imagenette224_subset.zip and its table of labels, some of them
wrong as published with Imagenette. The vectors are a SimCLR encoder's, from the photos at 64 pixels without any label.
Beside our list: cleanlab's default one and its plain ranking by self-confidence, of the same probabilities; and chance.
"""

import argparse
import contextlib
import csv
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks._pictures import given, views_of
from benchmarks._pipeline import keep
from benchmarks.dirty_folder import DATA
from benchmarks.self_supervised import RESULTS
from components.core import seeds
from components.datasets.folds import assign_folds
from components.datasets.labels import Labels
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import open_samples
from components.judging import label_errors
from components.methods.self_supervised.simclr import SimCLR
from components.modalities.image.policy import Policy
from components.models.encoders.small_resnet import SmallResnet
from components.stages import ingest
from components.training.corpus import Corpus
from components.training.inference import embed_all
from components.training.loop import LoopConfig
from components.training.trial import run_trial

ARCHIVE, TABLE = "vision/imagenette224_subset.zip", "vision/imagenette224_subset_labels.csv"
PATH, SIZE, FOLDS, TOPS = RESULTS / "label_errors.json", 64, 5, (100, 500)
NOISE = {"5": "noisy_label_5pct", "25": "noisy_label_25pct"}
VIEW = Policy(crop=(0.3, 1.0), flip=0.5, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, grayscale=0.2)
Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


def main() -> None:
    """Run what the command line asks for; a line of JSON for each share of wrong labels."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_errors", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="CPU minutes of pretraining")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0])
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    if not (DATA / ARCHIVE).is_file():
        print(f"skipped: {DATA / ARCHIVE} is not there; name its folder in WINNOW_BENCHMARK_DATA")
        return
    with tempfile.TemporaryDirectory() as folder:
        pictures, rows = photos(Path(folder))
        for seed in asked.seeds:
            seeds.deterministic(1)
            vectors = _vectors(pictures, asked.minutes, seed)
            for share, column in NOISE.items():
                found = {"minutes": asked.minutes, **figures(vectors, rows, column, seed)}
                print(json.dumps({"share": share, "seed": seed, **found}), flush=True)
                if asked.save:
                    keep(PATH, [share, seed], found)


def photos(home: Path) -> tuple[npt.NDArray[np.uint8], list[dict[str, str]]]:
    """Training photos `(N, 3, 64, 64)`, and for each its row of the table of labels."""
    with zipfile.ZipFile(DATA / ARCHIVE) as packed:
        packed.extractall(home)
    names = {"manifest": "manifest.parquet", "samples": "samples.npy"}
    outputs = {name: home / names.get(name, f"{name}.parquet") for name in (*names, "quarantine", "oracle")}
    form = {"name": "image", "image_size": SIZE, "channels": 3}
    settings = {"source": str(home / "imagenette224_subset"), "modality": form, "leaks": "drop"}
    ingest.run(params=ingest.Params.model_validate(settings), raw=home, **outputs)
    with (DATA / TABLE).open(encoding="utf-8", newline="") as file:
        table = {row["path"]: row for row in csv.DictReader(file)}
    manifest = read_manifest(outputs["manifest"])
    train = positions_of(manifest, "train")
    return open_samples(outputs["samples"])[train], [table[path] for path in manifest["path"].to_numpy()[train]]


def figures(vectors: Floats, rows: list[dict[str, str]], column: str, seed: int) -> dict[str, Any]:
    """Of each list, its length and how many of its first 100 and 500 are wrong; a list may be shorter than that."""
    classes = sorted({row["label"] for row in rows})
    number = {name: k for k, name in enumerate(classes)}
    given = np.array([number[row[column]] for row in rows])
    wrong = given != np.array([number[row["label"]] for row in rows])
    names = [row["path"] for row in rows]
    folds = assign_folds(given, names, folds=FOLDS, seed=seed)
    labels = Labels(names, np.eye(len(classes), dtype=np.float32)[given], ["given"] * len(rows), folds, classes)
    places = np.arange(len(rows))
    said = label_errors._out_of_fold(vectors, places, labels)
    lists = {
        "winnow": np.array([suspect.row for suspect in label_errors.find_suspects(vectors, places, labels)], np.int64),
        **_cleanlab(given, said),
    }
    return {
        "labels": len(rows),
        "wrong": int(wrong.sum()),
        "accuracy": round(float((said.argmax(1) == given)[~wrong].mean()), 4),
        **{
            name: {"length": len(found), **{str(top): int(wrong[found[:top]].sum()) for top in TOPS}}
            for name, found in lists.items()
        },
    }


def table(kept: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of Markdown: a row per share of wrong labels, seed and list."""
    tops = " | ".join(f"wrong of the first {top}" for top in TOPS)
    lines = [f"| labels wrong | list | its length | {tops} |", "|---|---|---|" + "---|" * len(TOPS)]
    for _, runs in sorted(kept.items(), key=lambda item: int(item[0])):
        for run in runs.values():
            share = f"{run['wrong']} of {run['labels']}"
            for name in ("winnow", "cleanlab", "self_confidence"):
                row = run[name]
                cells = [f"{row[str(top)] / min(top, row['length']):.3f}" for top in TOPS]
                title = {"winnow": "ours", "cleanlab": "cleanlab's default"}.get(name, "all, by self-confidence")
                lines.append(f"| {' | '.join([share, title, str(row['length']), *cells])} |")
            chance = f"{run['wrong'] / run['labels']:.3f}"
            lines.append(f"| {' | '.join([share, 'chance', str(run['labels']), *[chance] * len(TOPS)])} |")
    return lines


def _cleanlab(given: Integers, said: Floats) -> dict[str, Integers]:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    with contextlib.redirect_stdout(io.StringIO()):  # it prints advice
        listed = find_label_issues(given, said, return_indices_ranked_by="self_confidence", n_jobs=1)
    return {"cleanlab": np.asarray(listed), "self_confidence": np.argsort(get_label_quality_scores(given, said))}


def _vectors(pictures: npt.NDArray[np.uint8], minutes: float, seed: int) -> Floats:
    shades = pictures.astype(np.float32).transpose(1, 0, 2, 3).reshape(3, -1) / 255
    center, spread = shades.mean(1).tolist(), shades.std(1).tolist()

    def method() -> SimCLR:
        torch.manual_seed(seed)
        return SimCLR(SmallResnet(given(3, SIZE), SmallResnet.Config()), SimCLR.Config())

    policies = views_of({"view": VIEW}, mean=center, std=spread)
    data = Corpus(pictures, np.arange(len(pictures)), policies)
    trained, _ = run_trial(method, data, LoopConfig(batch_size=256, learning_rate=0.002), minutes * 60, seed=seed)
    encoder = trained.encoder
    return embed_all(encoder, policies.plain, pictures)


if __name__ == "__main__":
    main()
