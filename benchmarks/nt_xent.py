"""NT-Xent, forward and backward: ours beside lightly's, time and extra memory, at 128 dimensions."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

BATCHES = (1024, 4096)
TEMPERATURE = 0.5
REPEATS = 7

Loss = Callable[[Tensor, Tensor], Tensor]


def run() -> list[dict[str, object]]:
    """One row per batch and implementation: `milliseconds` (median, interleaved), `extra_megabytes` (peak)."""
    rows: list[dict[str, object]] = []
    for batch in BATCHES:
        times = _milliseconds(batch)
        memory = {name: _extra_megabytes(name, batch) for name in times}
        rows += [
            {
                "batch": batch,
                "loss": name,
                "milliseconds": round(times[name], 1),
                "extra_megabytes": round(memory[name], 1),
                "times_faster": round(times["lightly"] / times[name], 2),
                "share_of_memory": round(memory[name] / memory["lightly"], 3),
            }
            for name in times
        ]
    return rows


def _losses() -> dict[str, Loss]:
    from lightly.loss import NTXentLoss

    from components.methods.self_supervised.simclr import nt_xent

    return {"lightly": NTXentLoss(TEMPERATURE), "winnow": lambda a, b: nt_xent(a, b, TEMPERATURE)}


def _outputs(batch: int) -> tuple[Tensor, Tensor]:
    pair = torch.randn(2, batch, 128, generator=torch.Generator().manual_seed(0))
    return pair[0].clone().requires_grad_(), pair[1].clone().requires_grad_()


def _milliseconds(batch: int) -> dict[str, float]:
    losses, times = _losses(), {name: [] for name in ("lightly", "winnow")}
    first, second = _outputs(batch)
    results: dict[str, tuple[Tensor, Tensor]] = {}
    for _ in range(REPEATS + 1):
        for name, loss in losses.items():
            first.grad = second.grad = None
            start = time.perf_counter()
            value = loss(first, second)
            value.backward()
            times[name].append(1000 * (time.perf_counter() - start))
            assert first.grad is not None
            results[name] = value.detach(), first.grad
    torch.testing.assert_close(results["winnow"], results["lightly"], rtol=1e-4, atol=1e-7)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def _extra_megabytes(name: str, batch: int) -> float:
    """In a process of its own: the peak while it computes, over what there was before."""
    command = [sys.executable, "-m", "benchmarks.nt_xent", name, str(batch)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _peak(name: str, batch: int) -> float:
    loss = _losses()[name]
    small = _outputs(8)
    loss(*small).backward()  # what any first call sets up is not the loss's
    outputs = _outputs(batch)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    before = _status("VmRSS")
    loss(*outputs).backward()
    return _status("VmHWM") - before


def _status(name: str) -> float:
    """A figure of this process in megabytes, as Linux counts it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(_peak(sys.argv[1], int(sys.argv[2])))
    else:
        import pandas as pd

        print(pd.DataFrame(run()).to_string(index=False))
