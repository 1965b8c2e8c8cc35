"""The stage runner: the one place for what all stages share. `python -m components.core.stage NAME`."""

import ctypes
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from components.core.config import StageParams, parse, read_params
from components.core.dag import TOP_LEVEL, StageSpec, by_argument, read_stages
from components.core.environment import prepare
from components.core.errors import Refused, WinnowError

FAILED, CRASHED, STOPPED = 1, 70, 130
GIVEN = ("raw", "labels")  # folders of data/ that no stage makes
TRACKED = (".png", ".html", ".json", ".csv")  # what a person can open in the tracking pages


def main(name: str) -> int:
    """Run one stage in the current folder; returns the exit code, and says what went wrong in one sentence."""
    _die_with_parent()
    try:
        run_stage(name)
    except WinnowError as error:
        return _say(name, str(error), FAILED)
    except MemoryError:
        return _say(name, "out of memory: lower the batch size or the image size in params.yaml.", FAILED)
    except KeyboardInterrupt:
        return _say(name, "stopped.", STOPPED)
    except OSError as error:
        return _say(name, f"{error.strerror or error} ({error.filename}): check the disk and its permissions.", FAILED)
    except Exception as error:  # the last resort: whatever it was, the user gets a sentence, and the details in a file
        log = Path(".winnow/logs") / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc(), encoding="utf-8")
        return _say(name, f"{type(error).__name__}: {error}. This is a defect in Winnow; details in {log}.", CRASHED)
    return 0


def run_stage(name: str) -> dict[str, float]:
    """Check the settings and inputs, run the stage into a folder aside, publish its outputs, track it all."""
    params = read_params()
    stages = read_stages(params)
    if name not in stages:
        raise WinnowError(f"unknown stage '{name}': choose from {', '.join(stages)}.")
    spec = stages[name]
    for path in spec.dependencies:
        if not path.exists():
            raise WinnowError(_missing(path, name))
    top = {key: params[key] for key in TOP_LEVEL if key in params}
    prepare(threads=parse(StageParams, top, where="").threads)
    stage = import_module(f"components.stages.{name}")
    settings = parse(stage.Params, {**_block(params, name), **top}, where=name)
    return _tracked(spec, stage.run, settings, params, key=spec.key(params, Path()))


def _missing(path: Path, name: str) -> str:
    if path.parts[0] == "data" and path.parts[1] not in GIVEN:
        return f"{path} is missing: run `dvc repro {name}`, which makes what this stage needs first."
    mend = "choose a name that `winnow methods` lists, or " if path.suffix == ".py" else ""
    return f"{path} is missing: {mend}restore it from git."


def _block(params: dict[str, Any], name: str) -> Mapping[str, Any]:
    block = params.get(name) or {}
    if not isinstance(block, dict):
        raise WinnowError(f"{name} in params.yaml must be a block of settings, not {block!r}.")
    return block


def _tracked(spec: StageSpec, run: Any, settings: Any, params: dict[str, Any], key: str) -> dict[str, float]:
    from components.core import progress, tracking

    aside = Path(".winnow/tmp") / f"{spec.name}-{os.getpid()}"
    aside.mkdir(parents=True)
    home = Path("data") / spec.name
    outputs = {argument: aside / path.name for argument, path in by_argument(list(spec.outputs)).items()}
    os.environ["WINNOW_STAGE_KEY"] = key
    try:
        with tracking.stage_run(spec.name, key=key, params=params.get(spec.name) or {}) as tracker:
            with progress.listening(tracker.log_epoch):
                try:
                    metrics: dict[str, float] = run(params=settings, **spec.inputs, **outputs)
                except Refused:
                    _publish(aside, home)
                    raise
            _publish(aside, home)
            tracker.finish(metrics, [path for path in sorted(home.iterdir()) if path.suffix in TRACKED])
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return metrics


def _publish(aside: Path, home: Path) -> None:
    """Move everything the stage wrote into its own folder; each file appears whole."""
    home.mkdir(parents=True, exist_ok=True)
    for item in sorted(aside.iterdir()):
        target = home / item.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        item.replace(target)


def _die_with_parent() -> None:
    """Ask Linux to end this process when its parent dies, so that no orphan overwrites a later run's outputs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _say(name: str, sentence: str, code: int) -> int:
    print(f"winnow: {name}: {sentence}", file=sys.stderr)
    if os.environ.get("WINNOW_DEBUG"):
        traceback.print_exc()
    return code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m components.core.stage NAME")
    sys.exit(main(sys.argv[1]))
