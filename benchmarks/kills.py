"""Kills at random moments in every stage of the digits pipeline: whatever dies, the next run ends with the same bytes.

`python -m benchmarks.kills 100 0 0`: at least 100 kills, chance seeded with 0, no Ray workers. Each run has every stage
killed twice, at a random moment while it works and in the moment when it delivers its outputs, before it may come to
its end; in place of one that is done already the stage is killed that runs then. What is killed, chance decides: the
stage, `dvc repro`, the command, or all at once. With Ray workers each run has a kill of one of these too, while it
trains: Ray itself goes on with another one.
"""

import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks._pipeline import project_copy
from components.core.dag import read_stages
from components.core.files import sha256

SHORT: dict[str, dict[str, Any]] = {  # enough epochs to be killed in, few enough for many runs
    "pretrain": {"epochs": 6},
    "finetune": {"epochs": 2, "guard_epochs": 0, "second_control": "off"},
    "run": {"retry_seconds": 0.1},
}
STAGE, DVC, DRIVER, EVERYTHING = "components.core.stage", "dvc repro", "pipelines.cli", "everything"
COMMANDS = ["dvc repro"] * 6 + ["winnow repro", "winnow run"]  # the latter take long to begin a stage
WORKS, DELIVERS = "while it works", "when it delivers"
VERSION, REPORT = "data/register/version.json", "data/report/report.html"
TIMES = ("registered", "run_id")
RAY_WORKER = "ray::RayTrainWorker"
TRAINING = 15.0  # seconds within which a worker that trains is killed
PATIENCE = 120.0  # seconds until an orphan must have noticed that its parent is gone, on a crowded machine too
OFTEN, SELDOM = 0.001, 0.1  # seconds between two looks: at the files, and at the processes, which costs their own time

Changes = dict[str, dict[str, Any]]
Seconds = dict[str, float]
Lines = dict[psutil.Process, str]


def main(kills: str = "100", seed: str = "0", workers: str = "0") -> None:
    """Print how many kills of each kind there were, and how many ends differed."""
    chance, counts, differing, orphans, runs = random.Random(int(seed)), Counter[str](), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = project_copy(
            Path(folder) / "fresh", **with_workers(int(workers))
        )  # once: whoever works on the project meanwhile may
        expected, seconds = _undisturbed(shutil.copytree(fresh, Path(folder) / "undisturbed"))
        _say(f"undisturbed: {len(expected)} files; seconds of each stage: {seconds}")
        while counts.total() < int(kills):
            runs += 1
            place = shutil.copytree(fresh, Path(folder) / f"run{runs}")
            for stage, moment in ((stage, moment) for stage in seconds for moment in (WORKS, DELIVERS)):
                on_ray = bool(int(workers)) and (stage, moment) == ("pretrain", DELIVERS)
                killed, kind, left = _killed(place, stage, moment, seconds, chance, on_ray=on_ray)
                counts.update(["pretrain by Ray", RAY_WORKER] if on_ray else [])
                counts.update([f"{killed} {moment}", kind] if kind else [])
                _say(f"  {stage} {moment}: {f'killed {killed}, {kind}' if kind else killed or 'nothing left to run'}")
                orphans += left
            _finish(place)
            wrong = sorted(name for name, digest in _hashes(place).items() if expected.get(name) != digest)
            differing += bool(wrong)
            ends = f"differs: {', '.join(wrong)}" if wrong else "same bytes"
            _say(f"run {runs}: {counts.total() // 2} kills so far, {ends}")
            shutil.rmtree(place)
    figures = {"kills": counts.total() // 2, "runs": runs, "runs_that_differ": differing, "orphans": orphans}
    print(json.dumps({**figures, "of them": dict(sorted(counts.items()))}, indent=2))


def with_workers(workers: int) -> Changes:
    """The short pipeline's settings, pretraining by that many Ray workers."""
    return {**SHORT, "pretrain": {**SHORT["pretrain"], "workers": workers}}


def _undisturbed(place: Path) -> tuple[dict[str, str], Seconds]:
    """The digests a run ends with, and how long each stage took, in the order in which they ran."""
    seconds: Seconds = {}
    driver = _start(place, "winnow repro")
    while driver.poll() is None:
        for stage in map(_stage_of, _family(driver).values()):
            if stage:
                seconds[stage] = round(seconds.get(stage, 0.0) + 0.1, 1)
        time.sleep(0.1)
    if driver.returncode != 0:
        _give_up(place)
    return _hashes(place), seconds


def _start(place: Path, command: str) -> psutil.Popen:
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PYTHONPATH": str(place), "PATH": here, "DVC_NO_ANALYTICS": "1"}
    environment["DVC_SITE_CACHE_DIR"] = str(place / ".winnow/dvc")
    with (place / "driver.log").open("ab") as log:
        line = [sys.executable, "-m", *command.replace("winnow", DRIVER).split()]
        return psutil.Popen(line, cwd=place, env=environment, stdout=log, stderr=log, start_new_session=True)


def _finish(place: Path) -> None:
    if _start(place, "winnow repro").wait() != 0:
        _give_up(place)


def _give_up(place: Path) -> None:
    sys.exit((place / "driver.log").read_text()[-3000:])


def _killed(
    place: Path, stage: str, moment: str, seconds: Seconds, chance: random.Random, *, on_ray: bool
) -> tuple[str, str, int]:
    """Start a run, kill something in the stage, or, where that has come to its end already, in the one that runs then;
    which stage, what was killed, and how many processes outlived their parents.
    """
    command = chance.choice(COMMANDS)
    kind = chance.choice([STAGE, DRIVER, EVERYTHING] + [DVC] * (command == "winnow repro"))
    driver = _start(place, command)
    ahead = list(seconds)[list(seconds).index(stage) :]
    if not _wait(driver, lambda: bool(_running(driver, ahead)), every=SELDOM):
        if driver.returncode:
            _give_up(place)
        return "", "", 0  # all is done
    stage = _running(driver, ahead) or stage
    tree = _family(driver)
    if moment == WORKS:
        moment_of_death = time.monotonic() + chance.uniform(0, seconds[stage])
        _wait(driver, lambda: time.monotonic() > moment_of_death or not _runs(driver, stage), every=SELDOM)
    else:
        if on_ray:
            _kill_worker(driver, chance)
        before = _times(place, stage)
        _wait(driver, lambda: _times(place, stage) != before, every=OFTEN)
    there = driver.is_running() and driver.status() != psutil.STATUS_ZOMBIE
    tree |= _family(driver)
    marks = {STAGE: STAGE, DVC: DVC}
    _kill([driver.pid] if kind == DRIVER else [one.pid for one, line in tree.items() if marks.get(kind, "") in line])
    if command == "winnow run" and kind == STAGE:  # the flow tries again, and would leave nothing to be killed
        _wait(driver, lambda: bool(_running(driver, ahead[ahead.index(stage) + 1 :])), every=SELDOM)
        tree |= _family(driver)
        _kill(one.pid for one in tree)
    if kind in (DRIVER, EVERYTHING):
        _kill([driver.pid])
    driver.wait()
    return stage, f"{kind} ({command})" if there else "", _outlived(tree)


def _runs(driver: psutil.Popen, stage: str) -> bool:
    return bool(_running(driver, [stage]))


def _running(driver: psutil.Popen, stages: list[str]) -> str:
    """Of these stages the one that runs; empty where none does."""
    found = set(map(_stage_of, _family(driver).values()))
    return next((stage for stage in stages if stage in found), "")


def _kill_worker(driver: psutil.Popen, chance: random.Random) -> None:
    """End one of Ray's workers while it trains; the training goes on."""
    workers: list[int] = []
    while not workers and driver.poll() is None:
        workers = [one.pid for one, line in _family(driver).items() if RAY_WORKER in line]
    time.sleep(chance.uniform(0, TRAINING))
    _kill(workers[:1])


def _wait(driver: psutil.Popen, done: Callable[[], bool], *, every: float) -> bool:
    """Look again and again, as long as the run lives, whether it is done."""
    while driver.poll() is None:
        if done():
            return True
        time.sleep(every)
    return False


def _times(place: Path, stage: str) -> dict[str, int]:
    """When each file that the stage delivers was changed."""
    return {path.name: path.stat().st_ctime_ns for path in (place / "data" / stage).glob("*")}


def _outlived(tree: Lines) -> int:
    """Processes of ours that are still there when they had time to notice."""
    ours = [one for one, line in tree.items() if any(mark in line for mark in (STAGE, DVC, DRIVER))]
    _, alive = psutil.wait_procs(ours, PATIENCE)
    _kill(one.pid for one in alive)
    return len(alive)


def _family(driver: psutil.Popen) -> Lines:
    """Command lines of the run's process and all that it started, directly or not."""
    found = {}
    with contextlib.suppress(psutil.Error):  # the run itself has ended
        for one in (psutil.Process(driver.pid), *driver.children(recursive=True)):
            with contextlib.suppress(psutil.Error):  # one of its processes has
                found[one] = " ".join(one.cmdline())
    return found


def _stage_of(line: str) -> str:
    return line.split()[-1] if f"-m {STAGE} " in line and not line.startswith("/bin/") else ""


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            continue


def _hashes(place: Path) -> dict[str, str]:
    """sha256 of every output of every stage, and what `dvc.lock` records of each, but for when a version was made.

    `register` says what the registry says of a version, when it was made and in which run; `report` prints that.
    """
    specs = read_stages(place)
    found = {path.as_posix(): sha256(place / path) for spec in specs.values() for path in spec.outputs}
    version = json.loads((place / VERSION).read_text())
    found[VERSION] = json.dumps({name: value for name, value in version.items() if name not in TIMES}, sort_keys=True)
    del found[REPORT]
    lock = yaml.safe_load((place / "dvc.lock").read_text())["stages"]
    recorded = {name: what for name, what in lock.items() if name not in ("register", "report")}
    return {**found, **{f"dvc.lock: {name}": json.dumps(what, sort_keys=True) for name, what in recorded.items()}}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
