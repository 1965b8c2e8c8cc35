"""Pretraining on Ray when a worker or the driver dies, or a worker fails again and again (F28 to F30)."""

import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from components.core import progress
from components.core.errors import Unavailable
from components.training import distributed, ray_home
from components.training.checkpoints import CheckpointStore
from tests.stages import few_digits

EPOCHS = 60  # seconds of training: what is killed must not be over yet
SETTINGS = {"epochs": EPOCHS, "threads": 1, "precision": "float32"}
PATIENCE = 600.0  # beside other work Ray, which is nice to it, takes minutes
DRIVER = """
from pathlib import Path
from tests.stages import few_digits
few_digits.run_stage(few_digits.build(Path.cwd()), "killed", few_digits.settings(workers=1, **{settings}))
"""

# Ray's own, when it starts and stops
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


Outputs = dict[str, Path]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """What a run that nothing disturbs writes."""
    folder = tmp_path_factory.mktemp("sound")
    here = Path.cwd()
    os.chdir(folder)
    try:
        return few_digits.run_stage(few_digits.build(folder), "sound", few_digits.settings(workers=0, **SETTINGS))
    finally:
        os.chdir(here)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A project folder with few digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WINNOW_STAGE_KEY", "a")
    return few_digits.build(tmp_path)


def test_a_killed_worker_is_replaced_and_the_end_is_the_same(paths: dict[str, Path], sound: Outputs) -> None:
    told: list[int] = []
    killed: list[int] = []

    def kill_once(step: int, metrics: object) -> None:
        told.append(step)
        if not killed:
            killed.extend(_kill_workers())

    with progress.listening(kill_once):
        outputs = few_digits.run_stage(paths, "killed", few_digits.settings(workers=1, **SETTINGS))
    assert killed
    assert told == list(range(1, EPOCHS + 1))  # each epoch once, though some were made twice
    assert _same(sound, outputs)


def test_a_worker_that_always_fails_ends_the_training_with_its_error(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "FAILURES", 1)  # each try starts processes for seconds
    Path(".winnow").mkdir()
    Path(".winnow/checkpoints").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match=r"^training failed 2 times on Ray, last with: .*Error.*checkpoints"):
        few_digits.run_stage(paths, "failed", few_digits.settings(workers=1, **SETTINGS))
    assert not any(Path("failed").iterdir())


def test_after_the_driver_is_killed_the_next_one_goes_on_but_not_with_other_settings(
    paths: dict[str, Path], sound: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", DRIVER.format(settings=SETTINGS)]
    driver = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: bool(_epochs_kept("a")) or driver.poll() is not None)
        heard = _listening(psutil.Process(driver.pid))
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert heard
    assert all(ipaddress.ip_address(place.removeprefix("::ffff:")).is_loopback for place in heard)
    (left,) = (Path(note.read_text().strip()) for note in ray_home.NOTES.iterdir())
    assert left.is_dir()
    _wait(lambda: _forgotten(left))
    kept = _epochs_kept("a")
    assert kept
    assert kept[-1] < EPOCHS
    monkeypatch.setenv("WINNOW_STAGE_KEY", "b")
    with pytest.raises(KeyboardInterrupt), progress.listening(_stop_at(1)):
        few_digits.run_stage(paths, "other", few_digits.settings(workers=0, **SETTINGS))
    assert _epochs_kept("b") == [1]
    monkeypatch.setenv("WINNOW_STAGE_KEY", "a")
    assert _same(sound, few_digits.run_stage(paths, "resumed", few_digits.settings(workers=0, **SETTINGS)))


def _kill_workers() -> list[int]:
    killed = []
    for child in psutil.Process().children(recursive=True):
        if "ray::RayTrainWorker" in " ".join(child.cmdline()):
            child.send_signal(signal.SIGKILL)
            killed.append(child.pid)
    return killed


def _listening(driver: psutil.Process) -> set[str]:
    """The addresses at which a process and all that it started take connections."""
    family = {one.pid for one in (driver, *driver.children(recursive=True))}
    ports = [port for port in psutil.net_connections("tcp") if port.status == psutil.CONN_LISTEN]
    return {port.laddr.ip for port in ports if port.pid in family}


def _forgotten(left: Path) -> bool:
    """Whether the next run with Ray leaves nothing of a killed one, whose last processes may still write."""
    with ray_home.ray_home():
        return not left.exists()


def _epochs_kept(key: str) -> list[int]:
    store = CheckpointStore(str(Path(".winnow/checkpoints").absolute() / key))
    return [int(row["epoch"]) for row in store.history()]


def _stop_at(epoch: int) -> Callable[[int, object], None]:
    def stop(step: int, metrics: object) -> None:
        if step == epoch:
            raise KeyboardInterrupt

    return stop


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def _same(one: dict[str, Path], other: dict[str, Path]) -> bool:
    return all(one[name].read_bytes() == other[name].read_bytes() for name in ("encoder", "history"))
