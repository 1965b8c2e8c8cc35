"""`winnow compare pretrain`: several self-supervised methods for the same CPU time on your samples, ranked."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from components.core import plugins
from components.core.config import PluginChoice, did_you_mean, read_params
from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.stage_settings import stage_settings

RESULTS = Path("data/compare/pretrain.json")
BENCHMARK = Path("benchmarks/results/self_supervised_digits.json")
NEEDED = {
    "samples": Path("data/ingest/samples.npy"),
    "manifest": Path("data/ingest/manifest.parquet"),
    "policy": Path("data/augment/policy.json"),
}
LABELS = Path("data/label/labels.parquet")
FIGURES = {  # column: heading and format
    "visible": ("k-NN, visible labels", "{:.3f}"),
    "effective_rank": ("rank", "{:.1f}"),
    "alignment": ("alignment", "{:.3f}"),
    "uniformity": ("uniformity", "{:.2f}"),
    "epochs": ("epochs", "{:.1f}"),
    "samples_per_second": ("samples/s", "{:.0f}"),
}


def compare_pretraining(names: list[str], minutes: float) -> None:
    """Print the ranking and write it to `data/compare/pretrain.json`. The test split is not looked at.

    Ranked by leave-one-out k-NN on the labels in force, then by effective rank; without labels by the latter alone.

    Raises WinnowError for an unknown method, too little time, and where the samples are not ingested yet.
    """
    known = plugins.names("self_supervised")
    if not names:
        raise WinnowError(f"--methods names none: choose from {', '.join(known)}.")
    for name in names:
        if name not in known:
            raise WinnowError(f"unknown self-supervised method '{name}' in --methods: {did_you_mean(name, known)}")
    if not 0 < minutes < math.inf:
        raise WinnowError(f"--minutes is {minutes:g}: give each method some CPU time, for example 2.")
    for path in NEEDED.values():
        if not path.is_file():
            raise WinnowError(f"{path} is not there: run `dvc repro augment` first.")
    params = read_params()
    prepare(threads=int(params.get("threads", 1)))
    rows = []
    for number, name in enumerate(dict.fromkeys(names), start=1):
        print(f"  {name} ({number} of {len(set(names))}, {minutes:g} CPU minutes)", file=sys.stderr, flush=True)
        rows.append({"method": name, **_tried(name, minutes, params)})
    rows.sort(key=_order, reverse=True)
    foretold = how_well_foretold(json.loads(BENCHMARK.read_text())) if BENCHMARK.is_file() else None
    simple = _simple()
    kept = {"minutes": minutes, "ranking": rows, "simple": simple, "spearman": foretold}
    write_text(RESULTS, json.dumps(kept, indent=2) + "\n")
    _show(rows, simple, foretold)


def how_well_foretold(kept: dict[str, dict[str, dict[str, Any]]]) -> tuple[float, int] | None:
    """Spearman's correlation over methods of `visible` with `linear_few`, means over seeds, and how many methods.

    kept: the benchmark's figures by method and seed. None where fewer than three methods have both.
    """
    from scipy.stats import spearmanr

    tried = [
        [run for run in kept[name].values() if "visible" in run and "linear_few" in run]
        for name in sorted(set(kept) & set(plugins.names("self_supervised")))
    ]
    pairs = [[np.mean([run[figure] for run in runs]) for figure in ("visible", "linear_few")] for runs in tried if runs]
    if len(pairs) < 3:
        return None
    return round(float(spearmanr(*np.array(pairs).T).statistic), 3), len(pairs)


def job_for(name: str, params: dict[str, Any]) -> Any:
    """The pretraining `Job` of the `pretrain` block, by the method `name`: with its options there if it is that one."""
    from components.stages.pretrain import start_of
    from components.training.loop import LoopConfig
    from components.training.pretraining import Job

    settings = stage_settings("pretrain", params)
    weights, origin = start_of(settings)
    return Job(
        **NEEDED,
        method=settings.method if settings.method.name == name else PluginChoice(name=name),
        encoder=settings.encoder,
        loop=LoopConfig(**settings.model_dump(include=set(LoopConfig.model_fields))),
        checkpoints="",
        seed=settings.seed,
        threads=settings.threads,
        weights=weights,
        origin=origin,
    )


def _tried(name: str, minutes: float, params: dict[str, Any]) -> dict[str, Any]:
    """Its figures, or `failed` with the sentence that says why."""
    from components.core.seeds import deterministic
    from components.judging.collapse import shrunk
    from components.judging.health import HEALTH
    from components.judging.probes import leave_one_out_accuracy
    from components.training.inference import embed_all
    from components.training.precision import choose_device
    from components.training.pretraining import build_method, watch, watched
    from components.training.trial import run_trial

    job = job_for(name, params)
    deterministic(job.threads)
    corpus, device = job.corpus(), choose_device()
    seen = watched(corpus, job.seed)
    try:
        method, trial = run_trial(
            lambda: build_method(job, corpus),
            corpus,
            job.loop,
            minutes * 60,
            seed=job.seed,
            watch=lambda method: watch(method, seen, device, job.seed),
            device=device,
        )
    except WinnowError as error:
        return {"failed": str(error)}
    figures: dict[str, Any] = {name: trial.history[-1][name] for name in HEALTH if name in trial.history[-1]}
    figures |= {
        "collapsing": bool(shrunk(figures)),
        "epochs": trial.epochs,
        "samples_per_second": trial.samples_per_second,
    }
    labeled = _labeled()
    if labeled is not None:
        vectors = embed_all(method.encoder, corpus.views.plain, corpus.samples, labeled[0])
        figures["visible"] = leave_one_out_accuracy(vectors, labeled[1])
    return figures


def _labeled() -> tuple[Any, Any, int] | None:
    """Positions and classes of the labels in force, and how many classes there are; None before there are labels."""
    from components.datasets.labels import read_labels
    from components.datasets.manifest import read_manifest, rows_of

    if not LABELS.is_file():
        return None
    labels = read_labels(LABELS).vouched
    positions = rows_of(labels.ids, read_manifest(NEEDED["manifest"], ["id"])["id"], str(LABELS))
    return (positions, labels.distributions.argmax(1), len(labels.classes)) if len(positions) > 1 else None


def _simple() -> list[dict[str, Any]]:
    """The same figure of what takes no encoder: simple features, the most frequent class, and chance."""
    from components.datasets.sample_store import open_samples
    from components.judging.baselines import MAJORITY, simple_features
    from components.judging.probes import leave_one_out_accuracy
    from components.modalities import build_modality

    labeled = _labeled()
    if labeled is None:
        return []
    positions, classes, number = labeled
    store, counts = open_samples(NEEDED["samples"]), np.bincount(classes)
    features = simple_features(build_modality(store.about.modality), store, positions)
    rows = [{"method": name, "visible": leave_one_out_accuracy(found, classes)} for name, found in features.items()]
    rows.sort(key=_order, reverse=True)
    return [
        *rows,
        {"method": MAJORITY, "visible": float(counts.max() / counts.sum())},
        {"method": "chance", "visible": 1 / number},
    ]


def _order(row: dict[str, Any]) -> tuple[bool, float, float]:
    return "failed" not in row, row.get("visible", 0.0), row.get("effective_rank", 0.0)


def _show(rows: list[dict[str, Any]], simple: list[dict[str, Any]], foretold: tuple[float, int] | None) -> None:
    columns = [name for name in FIGURES if any(name in row for row in rows)]
    width = max(len("method"), *(len(row["method"]) for row in [*rows, *simple]))
    print("  ".join([f"{'method':<{width}}", *(FIGURES[name][0] for name in columns)]))
    for row in rows:
        if "failed" in row:
            print(f"{row['method']:<{width}}  not ranked: {row['failed']}")
            continue
        cells = (FIGURES[name][1].format(row[name]).rjust(len(FIGURES[name][0])) for name in columns)
        print("  ".join([f"{row['method']:<{width}}", *cells]) + ("  collapsing" if row["collapsing"] else ""))
    for row in simple:
        heading, form = FIGURES["visible"]
        print(f"{row['method']:<{width}}  {form.format(row['visible']).rjust(len(heading))}")
    best = max((row["visible"] for row in simple), default=-1.0)
    if beaten := [row["method"] for row in rows if row.get("visible", 1.0) <= best]:
        print(f"No better than what takes no pretraining: {', '.join(beaten)}.")
    if not any("visible" in row for row in rows):
        print("There are no labels yet, so the rank of the vectors alone decides, a weak guide: label some, ask again.")
    elif foretold:
        print(
            f"How far to trust it: over {foretold[1]} methods on digits, with 40 visible labels, this ranking and that "
            f"by test accuracy agreed with Spearman's {foretold[0]:.2f} (1: the same, 0: not at all)."
        )
    print(f"{RESULTS} keeps the figures; name the winner in pretrain.method.")
