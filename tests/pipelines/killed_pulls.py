"""Pulls in this folder, each in a process of its own that is killed at a random moment: `killed_pulls.py TIMES`."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import httpx  # noqa: F401 - loaded before the clock runs

from pipelines.labeling.places import LEDGER
from pipelines.labeling.pulling import pull_answers


def pull() -> int:
    """Begin one; its process."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            pull_answers(number=None, test=False)
            status = 0
        finally:
            os._exit(status)
    return child


def main(times: int) -> None:
    """Prints how many of the killed had written, and how many had ended."""
    begun = time.monotonic()
    for _ in range(3):
        _, status = os.waitpid(pull(), 0)
        assert status == 0
    whole = (time.monotonic() - begun) / 3
    draw, wrote, ended = random.Random(0), 0, 0
    for _ in range(times):
        before, child = LEDGER.stat().st_size, pull()
        time.sleep(draw.uniform(0, 1.1 * whole))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        wrote, ended = wrote + (LEDGER.stat().st_size > before), ended + os.WIFEXITED(status)
        for aside in Path(".winnow").glob(".*"):  # what a kill left half written, which nobody reads
            aside.unlink()
    print(wrote, ended)


if __name__ == "__main__":
    main(int(sys.argv[1]))
