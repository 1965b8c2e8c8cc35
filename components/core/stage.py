"""The stage runner: the one place for what all stages share. `python -m components.core.stage NAME`."""

import errno
import os
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from components.core.config import StageParams, parse, read_params
from components.core.dag import TOP_LEVEL, StageSpec, by_argument, read_stages
from components.core.environment import prepare
from components.core.errors import Refused, Unavailable, WinnowError
from components.core.files import move
from components.core.integrity import checking, recorded_outputs
from components.core.scratch import HOME, scratch
from components.core.secrets import without_secrets
from components.core.signals import die_with_parent

FAILED, DEFECT, RETRY, STOPPED = 1, 70, 75, 130  # a person's turn, ours, nobody's: run it again later, asked to stop
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CUT_SHORT = ("requested and", "problem writing element")  # numpy's words for a full disk, without a number
PASSING = {  # what may be over at the next try; whatever else the system refuses stays until somebody mends it
    *(errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ENFILE, errno.EPIPE),
    *(errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENOTCONN),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
}
GIVEN = ("raw", "labels", "weights")  # folders of data/ that no stage makes
TRACKED = (".png", ".html", ".json", ".csv")  # what a person can open in the tracking pages


def main(name: str) -> int:
    """Run one stage in the current folder; returns the exit code, and says what went wrong in one sentence."""
    die_with_parent()
    try:
        prepare()
        run_stage(name)
    except Unavailable as error:
        return _say(name, str(error), RETRY)
    except WinnowError as error:
        return _say(name, str(error), FAILED)
    except MemoryError:
        return _say(name, "out of memory: lower the batch size or the image size in params.yaml.", FAILED)
    except KeyboardInterrupt:
        return _say(name, "stopped.", STOPPED)
    except OSError as error:
        return _say(name, *_of_the_system(error, name))
    except Exception as error:  # the last resort: whatever it was, the user gets a sentence, and the details in a file
        log = Path(".winnow/logs") / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(without_secrets(traceback.format_exc()), encoding="utf-8")
        return _say(name, f"{type(error).__name__}: {error}. This is a defect in Winnow; details in {log}.", DEFECT)
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
    key = spec.key(params, Path(), checking(recorded_outputs(), name))
    top = {one: params[one] for one in TOP_LEVEL if one in params}
    prepare(threads=parse(StageParams, top, where="").threads)
    stage = import_module(f"components.stages.{name}")
    settings = parse(stage.Params, {**_block(params, name), **top}, where=name)
    return _tracked(spec, stage.run, settings, params, key=key)


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

    home = Path("data") / spec.name
    os.environ["WINNOW_STAGE_KEY"] = key
    with (
        scratch(spec.name) as aside,
        tracking.stage_run(spec.name, key=key, params=params.get(spec.name) or {}) as tracker,
    ):
        outputs = {argument: aside / path.name for argument, path in by_argument(list(spec.outputs)).items()}
        for path in spec.persistent:
            if path.exists():
                shutil.copyfile(path, aside / path.name)
        with progress.listening(tracker.log_epoch):
            try:
                metrics: dict[str, float] = run(params=settings, **spec.inputs, **outputs)
            except Refused:
                _publish(aside, home)
                raise
        _publish(aside, home)
        tracker.finish(metrics, [path for path in sorted(home.iterdir()) if path.suffix in TRACKED])
    return metrics


def _publish(aside: Path, home: Path) -> None:
    """Move everything the stage wrote into its own folder; each file appears whole."""
    if home.exists() and not home.is_dir():
        raise WinnowError(f"{home} is a file where a folder belongs: move it away, then run `winnow repro`.")
    home.mkdir(parents=True, exist_ok=True)
    for item in sorted(aside.iterdir()):
        move(item, home / item.name)


def _of_the_system(error: OSError, name: str) -> tuple[str, int]:
    """What the operating system refused, as a sentence with its cure, and the exit code that goes with it."""
    what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
    if error.errno in FULL or any(words in str(error) for words in CUT_SHORT):
        place = "" if error.filename else f", while writing the outputs of {name} in {HOME}"
        return f"{what}{place}: free some room on that disk, then run `winnow repro`.", FAILED
    if error.errno in PASSING or error.errno is None:  # without a number: a library's word for a network that failed
        return f"{what}: trying again may help; if it does not, check the disk and the network.", RETRY
    return f"{what}: check that it is there and that you may write it, then run `winnow repro`.", FAILED


def _say(name: str, sentence: str, code: int) -> int:
    print(f"winnow: {name}: {sentence}", file=sys.stderr)
    if os.environ.get("WINNOW_DEBUG"):
        traceback.print_exc()
    return code


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m components.core.stage NAME")
    sys.exit(main(sys.argv[1]))
