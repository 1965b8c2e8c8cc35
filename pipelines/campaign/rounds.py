"""One point of a learning curve: questions, the oracle's answers, training, and what the test split says."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from components.core.config import Config
from components.core.files import write_text
from pipelines.campaign.answers import answer, labeled_ids, questions
from pipelines.campaign.plan import Arm, Plan
from pipelines.inline import GIVEN, LABELED, LEDGER, UNLABELED, run_stages, share

RESULT = "result.json"


class Point(Config):
    """What one round came to; query_confidence: the model's mean confidence in its guesses of what it asked about."""

    labels: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    control_accuracy: float
    classes_covered: int
    shipped: str
    query_confidence: float | None


def finished(folder: Path) -> Point | None:
    """The round's result if it was ever done: the file is written last, and whole."""
    path = folder / RESULT
    return Point.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def prepare_seed(plan: Plan, seed: int, names: Sequence[str] = UNLABELED) -> Path:
    """The folder in which the stages that need no label have run, once for all strategies of a seed."""
    folder = _shared(plan, seed)
    params = plan.settings(seed)
    storage = params["pretrain"].get("storage_path") or plan.home.absolute() / "checkpoints"
    params["pretrain"] = {**params["pretrain"], "storage_path": f"{storage}/{plan.home.name}-seed{seed}"}
    for name in GIVEN:
        if Path("data", name).is_dir() and not (folder / "data" / name).exists():
            share(Path(), folder, [name])
    run_stages([name for name in names if not (folder / "data" / name).is_dir()], folder, params)
    return folder


def run_round(plan: Plan, seed: int, arm: Arm, number: int) -> Point:
    """Do round `number`, whose forerunner is done, from its beginning; equal settings give equal bytes."""
    folder = plan.folder(seed, arm, number)
    shutil.rmtree(folder, ignore_errors=True)
    share(_shared(plan, seed), folder)
    params = plan.settings(seed, number, arm)
    confidence = None
    if number == 0:
        run_stages(["label"], folder, params)
        answer(folder, labeled_ids(folder), number)
        run_stages(LABELED[1:], folder, params)
    else:
        before = plan.folder(seed, arm, number - 1)
        run_stages(["select"], before, params)
        ids, confidence = questions(before)
        (folder / LEDGER).parent.mkdir()
        shutil.copyfile(before / LEDGER, folder / LEDGER)
        answer(folder, ids, number)
        run_stages(LABELED, folder, params)
    point = _result(folder, confidence)
    assert point.labels == plan.labels(number), "every label of the budget was asked for"
    write_text(folder / RESULT, json.dumps(point.model_dump(), indent=2, sort_keys=True) + "\n")
    if number > 1:
        _shed(plan.folder(seed, arm, number - 1))
    return point


def _shared(plan: Plan, seed: int) -> Path:
    return plan.home / f"seed{seed}" / "unlabeled"


def _result(folder: Path, confidence: float | None) -> Point:
    from components.datasets.labels import read_labels

    metrics = json.loads((folder / "data/evaluate/metrics.json").read_text(encoding="utf-8"))
    labels = read_labels(folder / "data/label/labels.parquet")
    return Point(
        labels=metrics["labels_used"],
        accuracy=metrics["accuracy"],
        accuracy_low=metrics["accuracy_low"],
        accuracy_high=metrics["accuracy_high"],
        control_accuracy=metrics["control_accuracy"],
        classes_covered=int((labels.distributions.sum(axis=0) > 0).sum()),
        shipped=metrics["shipped"],
        query_confidence=confidence,
    )


def _shed(folder: Path) -> None:
    """Drop the models and pages of a round that the next one has replaced; its result and its ledger stay."""
    for name in (*LABELED, "select"):
        shutil.rmtree(folder / "data" / name, ignore_errors=True)
