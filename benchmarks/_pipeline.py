"""Run the pipeline's stages directly, in a folder of its own: what a benchmark of learning needs of `dvc repro`."""

import resource
import shutil
import time
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from components.core.config import parse, read_params
from components.core.dag import TOP_LEVEL, by_argument, read_stages

PROJECT = Path(__file__).resolve().parents[1]
UNLABELED = ("ingest", "validate", "augment", "pretrain", "embed")
LABELED = ("label", "pseudo_label", "finetune", "evaluate")

Params = dict[str, Any]


def settings(**changes: Mapping[str, Any] | int) -> Params:
    """The settings that ship, with whole settings of some blocks replaced: `settings(seed=1, label={"budget": 10})`."""
    params = read_params(PROJECT / "params.yaml")
    for name, change in changes.items():
        params[name] = {**params[name], **change} if isinstance(change, Mapping) else change
    return params


def run_stages(names: Iterable[str], folder: Path, params: Params) -> dict[str, float]:
    """Run the stages in `folder`; CPU seconds of each, of this process and the children it waited for."""
    stages, spent = read_stages(params, PROJECT), {}
    (folder / "data/raw").mkdir(parents=True, exist_ok=True)
    (folder / "data/labels").mkdir(parents=True, exist_ok=True)
    shutil.copy(PROJECT / "data/labels/ledger.csv", folder / "data/labels/ledger.csv")
    for name in names:
        (folder / "data" / name).mkdir(exist_ok=True)
        stage = import_module(f"components.stages.{name}")
        block = parse(stage.Params, {**params[name], **{key: params[key] for key in TOP_LEVEL}}, where=name)
        inputs = {argument: folder / path for argument, path in stages[name].inputs.items()}
        outputs = {argument: folder / path for argument, path in by_argument(list(stages[name].outputs)).items()}
        before = _cpu()
        stage.run(params=block, **inputs, **outputs)
        spent[name] = _cpu() - before
    return spent


def share(base: Path, folder: Path) -> Path:
    """A folder that goes on from the unlabeled stages of `base` without running them again."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name in UNLABELED:
        if not (folder / "data" / name).exists():
            (folder / "data" / name).symlink_to(base / "data" / name)
    return folder


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
