"""What each self-supervised method costs: pictures a second and peak memory, beside the loop one writes with lightly.

`python -m benchmarks.cost` (`--methods a,b`, `--size 32`, `--channels 1`; `--save` keeps the figures for
docs/methods.md). The same network, batch and widths; every run in a process of its own; ours and lightly's in turn,
medians of the rounds. Memory: of the training process, beyond what it held before; lightly's two loader processes are
not counted.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks._lightly_loops import LOOPS
from benchmarks._pictures import given, views_of
from benchmarks.self_supervised import ENCODERS, RESULTS, forget_peak, memory
from benchmarks.simclr_throughput import SIMCLR_VIEW, lightly_loader
from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.modalities.image.policy import Policy
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train

THREADS, BATCH, STEPS = 2, 256, 6
HEADER = ["| method | pictures/s | MB | lightly, pictures/s | MB | times faster |", "|---|---|---|---|---|---|"]
POLICIES = {
    "view": SIMCLR_VIEW,
    "strong": SIMCLR_VIEW,
    "weak": Policy(crop=(0.8, 1.0)),
    "local": SIMCLR_VIEW.model_copy(update={"shrink": 2}),
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=plugins.names("self_supervised"))
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    parser.add_argument("--one", choices=("winnow", "lightly"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_one(asked.one, asked.methods[0], asked.channels, asked.size)))
        return
    kept: dict[str, Any] = {}
    print("\n".join(HEADER))
    for name in asked.methods:
        kept[name] = _medians(name, asked)
        print(row(name, kept[name]), flush=True)
    if asked.save:
        path = RESULTS / "cost.json"
        path.write_text(json.dumps({"size": asked.size, "channels": asked.channels, "methods": kept}, indent=1) + "\n")


def row(title: str, loops: dict[str, dict[str, float]]) -> str:
    """One line of the table."""
    ours, theirs = loops["winnow"], loops.get("lightly")
    cells = [title, f"{ours['samples_per_second']:.0f}", f"{ours['megabytes']:.0f}"]
    if theirs:
        faster = ours["samples_per_second"] / theirs["samples_per_second"]
        cells += [f"{theirs['samples_per_second']:.0f}", f"{theirs['megabytes']:.0f}", f"{faster:.1f}"]
    else:
        cells += ["", "", ""]
    return f"| {' | '.join(cells)} |"


def _medians(name: str, asked: argparse.Namespace) -> dict[str, dict[str, float]]:
    names = ("winnow", "lightly") if name in LOOPS else ("winnow",)
    runs: dict[str, list[dict[str, float]]] = {loop: [] for loop in names}
    for _ in range(asked.rounds):
        for loop in names:
            line = [sys.executable, "-m", "benchmarks.cost", "--one", loop, "--methods", name]
            line += ["--size", str(asked.size), "--channels", str(asked.channels)]
            done = subprocess.run(line, capture_output=True, text=True, check=True)
            runs[loop].append(json.loads(done.stdout.splitlines()[-1]))
    return {loop: {key: statistics.median(run[key] for run in rows) for key in rows[0]} for loop, rows in runs.items()}


def _one(loop: str, name: str, channels: int, size: int) -> dict[str, float]:
    seeds.deterministic(THREADS)
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH * STEPS, channels, size, size), dtype=np.uint8)
    run = _winnow if loop == "winnow" else _lightly
    forget_peak()
    held = memory("VmRSS")
    seconds = run(name, pictures)
    return {"samples_per_second": len(pictures) / seconds, "megabytes": memory("VmHWM") - held}


def _winnow(name: str, pictures: np.ndarray) -> float:
    """Seconds of the second epoch."""
    channels = pictures.shape[1]
    policies = views_of(POLICIES, mean=[0.5] * channels, std=[0.25] * channels)
    ends: list[float] = []
    train(
        _method(name, pictures),
        Corpus(pictures, np.arange(len(pictures)), policies),
        LoopConfig(epochs=2, batch_size=BATCH),
        seed=0,
        on_epoch=lambda epoch, row: ends.append(time.perf_counter()),
    )
    return ends[1] - ends[0]


def _method(name: str, pictures: np.ndarray) -> Any:
    for choice in ENCODERS:
        torch.manual_seed(0)
        encoder = plugins.build("encoder", choice, given(*pictures.shape[1:3]), where="encoder")
        try:
            return plugins.build("self_supervised", PluginChoice(name=name), encoder, where="method")
        except WinnowError as error:
            refusal = error
    raise refusal


def _lightly(name: str, pictures: np.ndarray) -> float:
    """Seconds of the second pass: the first starts the loader's processes."""
    encoder = plugins.build("encoder", ENCODERS[0], given(*pictures.shape[1:3]), where="encoder")
    loop = LOOPS[name](encoder, encoder.dim)
    loader = lightly_loader(pictures, BATCH, workers=THREADS, transform=loop.transform(pictures.shape[2]))
    optimizer = torch.optim.AdamW([p for p in loop.parameters() if p.requires_grad], lr=1e-3)
    for _ in range(2):
        start = time.perf_counter()
        for batch in loader:
            loss = loop.loss(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loop.after_step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
