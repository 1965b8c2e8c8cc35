"""The stage runner: the one place for what all stages share. `python -m components.core.stage NAME`."""

import os
import shutil
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from components.core.code import code_of
from components.core.config import read_params
from components.core.dag import StageSpec, by_argument, read_stages
from components.core.environment import prepare
from components.core.errors import Refused, WinnowError
from components.core.files import move
from components.core.integrity import checking, recorded_outputs
from components.core.outcome import STOPPED, explain
from components.core.scratch import HOME, scratch
from components.core.signals import die_with_parent
from components.core.stage_settings import stage_settings, top_settings
from components.core.terminal import guarded, reopen_closed
from components.core.used import Used, running, settings_files

GIVEN = ("raw", "labels", "weights")  # folders of data/ that no stage makes
TRACKED = (".png", ".html", ".json", ".csv")  # what a person can open in the tracking pages


def main(name: str) -> int:
    """Run one stage in the current folder; returns the exit code, and says what went wrong in one sentence."""
    die_with_parent()
    with guarded(needed=False):
        try:
            prepare()
            run_stage(name)
        except (Exception, KeyboardInterrupt) as error:
            place = f"writing the outputs of {name} in {HOME}"
            if isinstance(error, KeyboardInterrupt) and "WINNOW_BRIEF" in os.environ:
                return STOPPED  # whoever stopped all of it says so
            sentence, code = explain(error, name, place=place, again="run `winnow repro`")
            print(f"winnow: {name}: {' '.join(sentence.splitlines())}", file=sys.stderr)
            if os.environ.get("WINNOW_DEBUG"):
                traceback.print_exc()
            return code
    return 0


def run_stage(name: str) -> dict[str, float]:
    """Check the settings and inputs, run the stage into a folder aside, publish its outputs, track it all."""
    about = settings_files()
    params = read_params()
    stages = read_stages()
    if name not in stages:
        raise WinnowError(f"unknown stage '{name}': choose from {', '.join(stages)}.")
    spec = stages[name]
    for path in spec.dependencies:
        if not path.exists():
            raise WinnowError(_missing(path, name))
    used = Used.by(spec, params, about)
    for path in code_of(spec, params):  # before it is imported
        used.see(path)
    prepare(threads=top_settings(params).threads)
    stage = import_module(f"components.stages.{name}")
    settings = stage_settings(name, params)
    for path in stage.reads_beside(settings) if hasattr(stage, "reads_beside") else ():
        used.see(path, None)  # no dependency: it must stay as it is, whatever it holds
    digest = checking(recorded_outputs(), name)
    for path in spec.data:
        used.see(path, digest)
    with running(used):
        return _tracked(spec, stage.run, {"params": settings, **spec.told(params)}, used)


def _missing(path: Path, name: str) -> str:
    if path.parts[0] == "data" and path.parts[1] not in GIVEN:
        return f"{path} is missing: run `dvc repro {name}`, which makes what this stage needs first."
    mend = "choose a name that `winnow methods` lists, or " if path.suffix == ".py" else ""
    return f"{path} is missing: {mend}restore it from git."


def _tracked(spec: StageSpec, run: Any, settings: dict[str, Any], used: Used) -> dict[str, float]:
    from components.core import progress, tracking

    home = Path("data") / spec.name
    os.environ["WINNOW_STAGE_KEY"] = key = used.key()
    with (
        scratch(spec.name) as aside,
        tracking.stage_run(spec.name, key=key, params=used.params.get(spec.name) or {}) as tracker,
    ):
        outputs = {argument: aside / path.name for argument, path in by_argument(list(spec.outputs)).items()}
        for path in spec.persistent:
            if path.exists():
                shutil.copyfile(path, aside / path.name)
        with progress.listening(tracker.log_epoch), progress.listening(lambda *_: used.confirm()):
            try:
                metrics: dict[str, float] = run(**settings, **spec.inputs, **outputs)
            except Exception as error:
                used.confirm()  # a file in the middle of being edited leads to other errors
                if isinstance(error, Refused):
                    _publish(aside, home)
                raise
        used.confirm()
        _publish(aside, home)
        used.save()
        tracker.finish(metrics, [path for path in sorted(home.iterdir()) if path.suffix in TRACKED])
    return metrics


def _publish(aside: Path, home: Path) -> None:
    """Move everything the stage wrote into its own folder; each file appears whole."""
    if home.exists() and not home.is_dir():
        raise WinnowError(f"{home} is a file where a folder belongs: move it away, then run `winnow repro`.")
    home.mkdir(parents=True, exist_ok=True)
    for item in sorted(aside.iterdir()):
        move(item, home / item.name)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m components.core.stage NAME")
    reopen_closed()
    sys.exit(main(sys.argv[1]))
