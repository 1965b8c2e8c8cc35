"""Kills at random moments over the whole digits pipeline: whatever dies, the next run ends with the same bytes.

`python -m benchmarks.kills 50 10 0`: 50 kills in all, up to 10 before a run may come to its end, chance seeded with 0;
a fourth word is the number of Ray workers. With 0, pretraining is in the stage's process; with more, each run has a
kill in it of one of these workers too, while it trains: Ray itself goes on with another one.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from benchmarks._pipeline import command_line, processes, project_copy
from components.core.dag import read_stages
from components.core.files import sha256

SHORT = {  # enough epochs to be killed in, few enough for fifty runs
    "pretrain": {"epochs": 6},
    "finetune": {"epochs": 2, "guard_epochs": 0},
    "run": {"retry_seconds": 0.1},
}
MARKS = {
    "stage": "components.core.stage",
    "dvc": "dvc repro",
    "driver": "pipelines.cli",
}
RAY_WORKER = "ray::RayTrainWorker"
TRAINING = 15.0  # seconds within which a worker that trains is killed
EVERYTHING = "everything"
MOMENT = (
    40.0  # seconds a run lives at most: each goes on where the one before it was killed, so all stages have their turn
)
PATIENCE = 20.0  # seconds until an orphan must have noticed that its parent is gone


def main(kills: str = "50", per_run: str = "10", seed: str = "0", workers: str = "0") -> None:
    """Print how many kills of each kind there were, and how many ends differed."""
    chance, counts, differing, orphans = random.Random(int(seed)), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        # once: whoever works on the project meanwhile may
        fresh = project_copy(Path(folder) / "fresh", **_short(int(workers)))
        expected, seconds = _undisturbed(shutil.copytree(fresh, Path(folder) / "undisturbed"))
        _say(f"undisturbed: {seconds:.0f} s, {len(expected)} files")
        run = 0
        while counts.total() < int(kills):
            run += 1
            place = shutil.copytree(fresh, Path(folder) / f"run{run}")
            for index in range(min(int(per_run), int(kills) - counts.total())):
                kill = _ray_worker_killed if int(workers) and index == 0 else _killed
                kind, left = kill(place, chance)
                counts[kind] += 1
                orphans += left
            _finish(place)
            wrong = sorted(name for name, digest in _hashes(place).items() if expected.get(name) != digest)
            differing += bool(wrong)
            _say(
                f"run {run}: {counts.total()} kills so far, {'differs: ' + ', '.join(wrong) if wrong else 'same bytes'}"
            )
            shutil.rmtree(place)
    print(json.dumps({"kills": dict(counts), "runs": run, "runs_that_differ": differing, "orphans": orphans}, indent=2))


def _short(workers: int) -> dict[str, dict[str, Any]]:
    return {**SHORT, "pretrain": {**SHORT["pretrain"], "workers": workers}}


def _undisturbed(place: Path) -> tuple[dict[str, str], float]:
    began = time.monotonic()
    _finish(place)
    return _hashes(place), time.monotonic() - began


def _start(place: Path, command: str) -> "subprocess.Popen[bytes]":
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PYTHONPATH": str(place), "PATH": here, "DVC_NO_ANALYTICS": "1"}
    environment["DVC_SITE_CACHE_DIR"] = str(place / ".winnow/dvc")
    with (place / "driver.log").open("ab") as log:
        line = [sys.executable, "-m", *command.replace("winnow", "pipelines.cli").split()]
        return subprocess.Popen(line, cwd=place, env=environment, stdout=log, stderr=log, start_new_session=True)


def _finish(place: Path) -> None:
    if _start(place, "winnow repro").wait() != 0:
        sys.exit((place / "driver.log").read_text()[-3000:])


def _ray_worker_killed(place: Path, chance: random.Random) -> tuple[str, int]:
    """Start a run, kill one of Ray's workers while it trains, and let the run come to its end."""
    driver = _start(place, "winnow repro")
    while not (workers := [pid for pid, line in processes(driver.pid).items() if RAY_WORKER in line]):
        if driver.poll() is not None:
            sys.exit("the run ended before any Ray worker was seen: " + (place / "driver.log").read_text()[-3000:])
        time.sleep(0.1)
    time.sleep(chance.uniform(0, TRAINING))
    there = any((place / ".winnow").rglob("checkpoints/*/*"))
    hit = command_line(workers[0]).startswith(RAY_WORKER)
    _kill(workers[0])
    if driver.wait() != 0:
        sys.exit((place / "driver.log").read_text()[-3000:])
    return ("ray worker" if hit else "ray worker, too late") + (", after a checkpoint" if there else ""), 0


def _killed(place: Path, chance: random.Random) -> tuple[str, int]:
    """Start a run, kill something at a random moment; what it was, and how many processes outlived their parents."""
    kinds = [*MARKS, EVERYTHING]
    command = chance.choice(["dvc repro"] * 6 + ["winnow repro", "winnow run"])  # the latter take long to begin a stage
    driver = _start(place, command)
    time.sleep(chance.uniform(1, MOMENT))
    tree = processes(driver.pid)
    there = {kind: [pid for pid, line in tree.items() if MARKS.get(kind, "") in line] for kind in kinds}
    kind = chance.choice([kind for kind in kinds if there[kind]] or ["driver"])
    victims = there.get(kind) or [driver.pid]
    for pid in victims if kind == EVERYTHING else victims[:1]:
        _kill(pid)
    if kind in ("stage", "dvc"):
        driver.wait()
    else:
        _kill(driver.pid)
        driver.wait()
    return f"{kind} ({command})", _outlived(tree)


def _outlived(tree: dict[int, str]) -> int:
    """Processes of ours that are still there when they had time to notice."""
    deadline = time.monotonic() + PATIENCE
    while alive := [
        pid for pid, line in tree.items() if command_line(pid) == line and any(m in line for m in MARKS.values())
    ]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for pid in alive:
        _kill(pid)
    return len(alive)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _hashes(place: Path) -> dict[str, str]:
    """sha256 of `dvc.lock` and of every output of every stage."""
    specs = read_stages(yaml.safe_load((place / "params.yaml").read_text()), place)
    paths = [Path("dvc.lock"), *(path for spec in specs.values() for path in spec.outputs)]
    return {path.as_posix(): sha256(place / path) for path in paths}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
