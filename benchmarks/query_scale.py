"""What a query costs at scale: seconds, and peak memory beyond the pool itself, of every strategy that computes.

`python -m benchmarks.query_scale` (`--cases a,b`; `--save` keeps the figures for docs/methods.md). Normal blobs and
random probabilities, 100 labels; every case in a process of its own, two threads. `badge_formed` is scikit-learn's
k-means++ on the gradients as the paper writes them down, where BADGE here never forms them.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch

from benchmarks.self_supervised import RESULTS, forget_peak, memory
from components.core import seeds
from components.core.config import PluginChoice
from components.core.plugins import build
from components.methods.contracts import Floats, Pool

PATH = RESULTS / "query_scale.json"
LABELS, THREADS, GROUPS = 100, 2, 100
WIDE, LONG, DEEP = (1_000_000, 16, 10, 20), (100_000, 128, 10, 1000), (20_000, 768, 100, 10)  # N, D, K, budget
DRAWS = 10
CASES = {
    **dict.fromkeys(("entropy", "margin", "least_confidence", "bald"), WIDE),
    **dict.fromkeys(("core_set", "typiclust", "k_medoids", "prob_cover", "badge"), LONG),
    "badge_deep": DEEP,
    "badge_formed": DEEP,
}
NAMES = {"badge_deep": "badge", "badge_formed": "badge, gradients formed"}


def main() -> None:
    """Run what the command line asks for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.query_scale", description=__doc__)
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(CASES))
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_one(asked.cases[0])))
        return
    path, found = PATH, {}
    for name in asked.cases:
        line = [sys.executable, "-m", "benchmarks.query_scale", "--one", "--cases", name]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        failed = (done.stderr.strip().splitlines() or [f"ended by signal {-done.returncode}"])[-1]
        found[name] = json.loads(done.stdout.splitlines()[-1]) if not done.returncode else {"failed": failed}
        print(name, found[name], flush=True)
    if asked.save:
        kept = json.loads(path.read_text()) if path.is_file() else {}
        path.write_text(json.dumps({**kept, **found}, indent=1, sort_keys=True) + "\n")
    print("\n".join(table(found)))


def table(kept: dict[str, Any]) -> list[str]:
    """Lines of Markdown."""
    lines = ["| strategy | samples | vector | classes | budget | seconds | MB |", "|---|---|---|---|---|---|---|"]
    for name in (name for name in CASES if name in kept):
        cells = kept[name].get("failed") or f"{kept[name]['seconds']:.2f} | {kept[name]['megabytes']:.0f}"
        lines.append(f"| {' | '.join([NAMES.get(name, name), *(f'{size:,}' for size in CASES[name])])} | {cells} |")
    return lines


def section(kept: dict[str, Any]) -> str:
    """The part of docs/methods.md."""
    said = [
        "### Query strategies at scale",
        "",
        "`python -m benchmarks.query_scale`: one query, two threads, a process each, on shared cores; memory beyond",
        f"the pool. BALD has {DRAWS} draws. `badge, gradients formed`: scikit-learn's k-means++ on these.",
        "",
    ]
    return "\n".join([*said, *table(kept), ""])


def _one(name: str) -> dict[str, float]:
    seeds.deterministic(THREADS)
    count, dim, classes, budget = CASES[name]
    pool = _pool(count, dim, classes, draws=DRAWS if name == "bald" else 0, features=name.startswith("badge"))
    generator = seeds.torch_generator(0)
    forget_peak()
    base, start = memory("VmRSS"), time.perf_counter()
    if name == "badge_formed":
        _formed(pool, budget)
    else:
        strategy = build("query_strategy", PluginChoice(name=name.removesuffix("_deep")), where="case")
        assert len(set(strategy.query(pool, budget, generator).tolist())) == budget
    return {"seconds": round(time.perf_counter() - start, 3), "megabytes": round(memory("VmHWM") - base)}


def _pool(count: int, dim: int, classes: int, *, draws: int, features: bool) -> Pool:
    generator = torch.Generator().manual_seed(0)
    centers = torch.randn(GROUPS, dim, generator=generator)
    home = torch.randint(GROUPS, (count,), generator=generator)
    vectors = (centers[home] + 0.5 * torch.randn(count, dim, generator=generator)).numpy()

    def probabilities() -> Floats:
        return np.asarray(torch.randn(count, classes, generator=generator).mul_(2).softmax(1).numpy(), np.float32)

    said = np.empty((draws, count - LABELS, classes), np.float32) if draws else None
    for draw in () if said is None else said:
        draw[:] = probabilities()[LABELS:]
    seen = vectors[LABELS:].copy() if features else None
    return Pool(vectors, np.arange(LABELS), np.arange(LABELS, count), probabilities(), seen, said)


def _formed(pool: Pool, budget: int) -> None:
    from sklearn.cluster import kmeans_plusplus

    assert pool.probabilities is not None
    assert pool.features is not None
    residuals = pool.probabilities[pool.candidates]
    residuals[np.arange(len(residuals)), residuals.argmax(1)] -= 1
    gradients = (residuals[:, :, None] * pool.features[:, None]).reshape(len(residuals), -1)
    kmeans_plusplus(gradients, budget, random_state=0, n_local_trials=1)


if __name__ == "__main__":
    main()
