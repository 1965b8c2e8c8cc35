"""The stages in this process, in a folder of its own: for what runs them many times over, without DVC or MLflow."""

import os
import resource
import shutil
import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from components.core.dag import StageSpec, by_argument, read_stages
from components.core.files import write_text
from components.core.stage_settings import stage_settings

PROJECT = Path(__file__).resolve().parents[1]
GIVEN = ("raw", "weights")  # what a person puts there, read by stages without labels
LEDGER, RULES = Path("data/labels/ledger.csv"), Path("data/labels/rules.csv")
UNLABELED = ("ingest", "validate", "augment", "pretrain", "embed")
LABELED = ("label", "pseudo_label", "finetune", "evaluate")

Params = dict[str, Any]


def run_stages(names: Iterable[str], folder: Path, params: Params) -> dict[str, float]:
    """Run the stages in `folder`; CPU seconds of each, of this process and the children it waited for.

    What a stage writes is `folder/data/<stage>`, which appears whole once the stage has ended well. The ledger is
    `folder/data/labels/ledger.csv`, an empty one where there is none; so with the rules. Raises what the stages raise.
    """
    from components.datasets.ledger import append
    from components.datasets.rules import COLUMNS

    stages, spent = read_stages(PROJECT), {}
    for name in (*GIVEN, "labels/synthetic"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
    if not (folder / LEDGER).is_file():
        append(folder / LEDGER, [])
    if not (folder / RULES).is_file():
        write_text(folder / RULES, ",".join(COLUMNS) + "\n")
    for name in names:
        before = _cpu()
        _run(stages[name], folder, params)
        spent[name] = _cpu() - before
    return spent


def share(base: Path, folder: Path, names: Iterable[str] = UNLABELED) -> Path:
    """A folder that goes on from the stages of `base` without running them again; both may be moved together."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name in names:
        link = folder / "data" / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath((base / "data" / name).resolve(), link.parent.resolve()))
    return folder


def _run(spec: StageSpec, folder: Path, params: Params) -> None:
    from components.core.seeds import deterministic

    stage = import_module(f"components.stages.{spec.name}")
    settings = stage_settings(spec.name, params)
    deterministic(settings.threads)  # every stage begins as in a process of its own, whatever ran before it
    home, aside = folder / "data" / spec.name, folder / f"aside-{spec.name}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    inputs = {argument: folder / path for argument, path in spec.inputs.items()}
    outputs = {argument: aside / path.name for argument, path in by_argument(list(spec.outputs)).items()}
    stage.run(params=settings, **spec.told(params), **inputs, **outputs)
    shutil.rmtree(home, ignore_errors=True)
    aside.rename(home)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
