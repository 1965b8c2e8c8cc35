"""A stage as a process of its own, as under DVC: seconds, CPU seconds and peak memory."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from pipelines.inline import run_stages


def measured(stage: str, folder: Path, params: dict[str, Any]) -> dict[str, float]:
    """Run it in `folder`, after those before it. Ends the program where it fails."""
    began, pid = time.monotonic(), os.fork()
    if not pid:
        run_stages([stage], folder, params)
        os._exit(0)
    _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"{stage} failed")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_gb": round(used.ru_maxrss / 2**20, 2),
    }
