"""The page where a person sees what the model will see: originals beside their views under each policy."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from components.core.files import replacing
from components.core.seeds import derive
from components.modalities.image.augment import Augment
from components.modalities.image.policy import Policy
from components.modalities.image.restore import Pixels, pixels_of
from components.modalities.sheet import mosaic

VIEWS = 3  # per picture and policy
GUTTER, MARGIN, HEADER = 26, 30, 128
DPI = 100


def draw_preview(
    path: Path, originals: Pixels, policies: Mapping[str, Policy], statistics: Mapping[str, Any], seed: int
) -> None:
    """Write a PNG with one row per picture of `originals` `(N, C, H, W)`: itself, then its views under each policy."""
    groups = {"original": originals[:, None]}
    for name, policy in policies.items():
        views = _views(originals, policy, statistics, derive(seed, "preview", name))
        groups[name] = _enlarged(views, originals.shape[2:])
    blocks = {name: mosaic(pictures) for name, pictures in groups.items()}
    captions = {"original": "as stored"} | {name: describe(policy) for name, policy in policies.items()}
    _compose(path, blocks, captions)


def describe(policy: Policy) -> str:
    """The settings of a policy that are on, as one line for people."""
    changed = {name: value for name, value in policy.model_dump().items() if value != getattr(Policy(), name, None)}
    if not policy.rand_augment.operations:
        changed.pop("rand_augment", None)
    parts = (
        f"{name.replace('_', ' ')} {_plain(value)}".replace(" ", "\N{NO-BREAK SPACE}")
        for name, value in changed.items()
    )
    return " · ".join(parts) or "normalized only"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return "–".join(f"{item:g}" for item in value) if isinstance(value, tuple) else f"{value:g}"


def _views(originals: Pixels, policy: Policy, statistics: Mapping[str, Any], seed: int) -> Pixels:
    """`(N, VIEWS, C, h, w)`, brought back from normalized values to pixels."""
    mean, std = statistics["mean"], statistics["std"]
    augment = Augment(policy, mean, std)
    repeated = torch.from_numpy(originals).repeat_interleave(VIEWS, dim=0)
    views = augment(repeated, np.arange(len(repeated)), seed)
    pixels = pixels_of(views, mean, std)
    return pixels.reshape(len(originals), VIEWS, *pixels.shape[1:])


def _enlarged(pictures: Pixels, sides: tuple[int, ...]) -> Pixels:
    """`(..., h, w)` to `(..., *sides)` without smoothing, so that local views show how few pixels they have."""
    rows, columns = (np.arange(side) * own // side for side, own in zip(sides, pictures.shape[-2:], strict=True))
    return pictures[..., rows[:, None], columns]


def _compose(path: Path, blocks: dict[str, Pixels], captions: dict[str, str]) -> None:
    """Set the blocks side by side, pixel by pixel, with a heading and a caption above each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    depth = next(iter(blocks.values())).shape[0]
    width = 2 * MARGIN + sum(block.shape[1] for block in blocks.values()) + GUTTER * (len(blocks) - 1)
    height = HEADER + depth + MARGIN
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(MARGIN / width, 1 - 24 / height, "What the model will see", size=15, weight="bold", va="top")
    left = MARGIN
    for name, block in blocks.items():
        figure.figimage(block, left, MARGIN)
        figure.text(left / width, 1 - 62 / height, name, size=11, weight="bold", va="top", color="#1f4e79")
        lines = textwrap.wrap(captions[name], block.shape[1] // 5, max_lines=3, placeholder=" …")
        figure.text(left / width, 1 - 80 / height, "\n".join(lines), size=7.5, va="top", color="#555555")
        left += block.shape[1] + GUTTER
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})
