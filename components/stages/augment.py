"""Resolve the augmentation policies, measure the channels they are normalized by, and show what the model will see."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import field_validator

from components.core.config import StageParams
from components.core.errors import WinnowError
from components.core.seeds import numpy_generator
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import BLOCK, Pixels, open_samples
from components.modalities.image.policy import Policies, Policy, write_policies
from components.modalities.image.preview import draw_preview

NEEDED = ("weak", "view", "strong")
SHOWN = 8


class Params(StageParams):
    """The policies by name; methods ask for `weak`, `view` and `strong`."""

    policies: dict[str, Policy]

    @field_validator("policies")
    @classmethod
    def _complete(cls, policies: dict[str, Policy]) -> dict[str, Policy]:
        missing = [name for name in NEEDED if name not in policies]
        if missing:
            raise ValueError(f"policies named {', '.join(NEEDED)}, and {' and '.join(missing)} is missing")
        return policies


def run(
    *, params: Params, manifest: Path, samples: Path, verdict: Path, policy: Path, preview: Path
) -> dict[str, float]:
    """Write `policy` (JSON, see `Policies`) and `preview` (PNG); returns the mean and deviation of each channel.

    Raises WinnowError if the data did not pass validation or the training split is empty.
    """
    _require_passed(verdict)
    pixels = open_samples(samples)
    training = positions_of(read_manifest(manifest, ["split"]), "train")
    if not len(training):
        raise WinnowError(f"{manifest} has no training samples: lower ingest.test_fraction or add pictures.")
    mean, std = channel_statistics(pixels, training)
    policies = Policies(policies=params.policies, mean=mean, std=std)
    write_policies(policy, policies)
    shown = numpy_generator(params.seed, "preview").permutation(training)[:SHOWN]
    draw_preview(preview, pixels[np.sort(shown)], policies, params.seed)
    named = {"mean": mean, "std": std}
    return {f"{name}_{channel}": value for name, values in named.items() for channel, value in enumerate(values)}


def channel_statistics(pixels: Pixels, positions: npt.NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over some rows of `(N, C, H, W)`, on a scale of 0 to 1.

    Read a block at a time and counted in whole numbers, so that neither memory nor rounding grows with the data set. A
    channel that never changes gets the deviation of one gray level.
    """
    counts = np.zeros((pixels.shape[1], 256), np.int64)
    for start in range(0, len(positions), BLOCK):
        block = pixels[positions[start : start + BLOCK]]
        for channel in range(pixels.shape[1]):
            counts[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    levels, weights = np.arange(256) / 255, counts / counts.sum(1, keepdims=True)
    mean = weights @ levels
    deviation = np.sqrt((weights * (levels - mean[:, None]) ** 2).sum(1))
    return mean.tolist(), np.maximum(deviation, 1 / 255).tolist()


def _require_passed(verdict: Path) -> None:
    if not json.loads(verdict.read_text(encoding="utf-8"))["success"]:
        raise WinnowError(f"{verdict} says that the data did not pass: mend it, then run `dvc repro validate`.")
