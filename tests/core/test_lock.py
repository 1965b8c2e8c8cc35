"""One at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.core.lock import held, locked


def test_a_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with (
        locked(path, wait=0, busy=""),
        pytest.raises(WinnowError, match=f"process {os.getpid()} works"),
        locked(path, wait=0, busy="process {pid} works"),
    ):
        pass


def test_the_lock_is_free_afterwards_even_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"

    def fail() -> None:
        with locked(path, wait=0, busy=""):
            assert held(path)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not held(path)
    assert not held(tmp_path / "never.lock")


def test_a_killed_holder_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    code = (
        "import os, sys; from pathlib import Path; from components.core.lock import locked\n"
        "with locked(Path(sys.argv[1]), wait=0, busy=''):\n    print(1, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert held(path)
        child.kill()
    with locked(path, wait=0, busy="still held"):
        pass
