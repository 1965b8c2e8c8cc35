"""The folder that a stage writes into before its outputs are published; what a killed stage left there is removed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.core.lock import held, locked

HOME = Path(".winnow/tmp")
ALIVE = "alive"  # a lock file that the kernel frees when its process ends, however it ends


@contextmanager
def scratch(stage: str) -> Iterator[Path]:
    """An empty folder for one run of `stage`, removed at the end of the block; those of dead processes go first."""
    for folder in abandoned():
        shutil.rmtree(folder, ignore_errors=True)
    mine = HOME / f"{stage}-{os.getpid()}"
    outputs = mine / "outputs"
    outputs.mkdir(parents=True)
    try:
        with locked(mine / ALIVE, wait=5, busy="process {pid} already writes this stage's outputs."):
            yield outputs
    finally:
        shutil.rmtree(mine, ignore_errors=True)


def abandoned() -> list[Path]:
    """Folders whose process is no more."""
    return [folder for folder in sorted(HOME.glob("*-*")) if not held(folder / ALIVE)]
