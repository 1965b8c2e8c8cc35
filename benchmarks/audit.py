"""The augmentation audit where the answer is known: digits in four colors that are their classes, and digits.

`python -m benchmarks.audit` (`--labels 40`, `--seeds 3`; `--save` keeps the figures for docs/methods.md). Each
encoder is pretrained on the pictures it is asked about, without any change of color on the colored ones.
"""

import argparse
import json
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from benchmarks._pictures import given, views_of
from benchmarks.self_supervised import RESULTS
from components.core import seeds
from components.judging.audit import Audit, audit_augmentations
from components.methods.self_supervised.simclr import SimCLR
from components.modalities.image.policy import Policy
from components.models.encoders.small_resnet import SmallResnet
from components.training.corpus import Corpus
from components.training.loop import LoopConfig
from components.training.trial import run_trial

COLORS = np.array([[255, 60, 60], [60, 255, 60], [60, 60, 255], [255, 255, 60]])
VIEW = Policy(crop=(0.4, 1.0), rotate=15)
TASKS = {"color": "four colors are the classes", "number": "ten digits are the classes"}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--labels", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=0.2, help="CPU minutes of each pretraining")
    parser.add_argument("--save", action="store_true", help="keep the figures for docs/methods.md")
    asked = parser.parse_args()
    seeds.deterministic(2)
    kept: dict[str, Any] = {"labels": asked.labels, "minutes": asked.minutes, "seeds": asked.seeds}
    for task in TASKS:
        audits = [_audit(task, asked.labels, asked.minutes, seed) for seed in range(asked.seeds)]
        kept[task] = _summary(audits)
    print("\n".join(table(kept)))
    if asked.save:
        (RESULTS / "audit.json").write_text(json.dumps(kept, indent=1) + "\n")


def table(kept: dict[str, Any]) -> list[str]:
    """Lines of Markdown: how often the mildest and the strongest level were refused, and the points they lost."""
    lines = ["| augmentation | " + " | ".join(f"{title}: refused | points lost" for title in TASKS.values()) + " |"]
    lines.append("|---|" + "---|" * 2 * len(TASKS))
    for name in dict.fromkeys(name for task in TASKS for name in kept[task]):
        cells = []
        for task in TASKS:
            levels = kept[task].get(name, [])
            cells.append(" → ".join(f"{level['refused']}/{kept['seeds']}" for level in levels))
            cells.append(" → ".join(f"{-100 * level['gain'] + 0:.1f}" for level in levels))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _audit(task: str, labels: int, minutes: float, seed: int) -> Audit:
    pictures, classes = _pictures(task)
    channels = pictures.shape[1]
    policies = views_of({"view": VIEW}, mean=[0.3] * channels, std=[0.3] * channels)

    def method() -> SimCLR:
        torch.manual_seed(seed)
        return SimCLR(SmallResnet(given(channels, 32), SmallResnet.Config()), SimCLR.Config())

    data = Corpus(pictures, np.arange(len(pictures)), policies)
    loop = LoopConfig(batch_size=256, learning_rate=0.002)
    trained, _ = run_trial(method, data, loop, minutes * 60, seed=seed)
    rows = np.random.default_rng(seed).permutation(len(pictures))[:labels]
    result = audit_augmentations(trained.encoder, pictures[rows], classes[rows], policies, seed=seed)
    assert result is not None, "too few labels"
    return result


def _pictures(task: str) -> tuple[Any, Any]:
    """`(N, C, 32, 32)` uint8 and classes `(N,)`."""
    bunch = load_digits()
    gray = (bunch.images[:, None] * 255 / 16).astype(np.uint8).repeat(4, 2).repeat(4, 3)
    if task == "number":
        return gray, bunch.target
    classes = np.arange(len(gray)) % len(COLORS)  # whatever the number
    return (gray / 255 * COLORS[classes][:, :, None, None]).astype(np.uint8), classes


def _summary(audits: list[Audit]) -> dict[str, list[dict[str, float]]]:
    """By augmentation, its mildest and its strongest level: how often refused, and the mean gain (below 0: harm)."""
    summary: dict[str, list[dict[str, float]]] = {}
    for name in dict.fromkeys(finding.augmentation for finding in audits[0].findings):
        levels = [[found for found in result.findings if found.augmentation == name] for result in audits]
        ends = [0, -1] if len(levels[0]) > 1 else [0]
        summary[name] = [
            {
                "refused": sum(found[end].refused for found in levels),
                "gain": round(float(np.mean([found[end].seen.value for found in levels])), 4),
            }
            for end in ends
        ]
    return summary


if __name__ == "__main__":
    main()
