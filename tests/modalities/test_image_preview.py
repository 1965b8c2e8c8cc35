"""The preview page: what it says of a policy, and that equal inputs give equal bytes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.modalities.image.policy import Policy, RandAugment
from components.modalities.image.preview import describe, draw_preview

POLICIES = {"weak": Policy(crop=(0.8, 1.0)), "strong": Policy(rand_augment=RandAugment(operations=2, magnitude=0.5))}


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 100)])
def test_the_page_holds_every_picture_pixel_by_pixel(tmp_path: Path, channels: int, size: int) -> None:
    originals = np.random.default_rng(0).integers(0, 256, (2, channels, size, size), dtype=np.uint8)
    statistics = {"mean": [0.5] * channels, "std": [0.25] * channels}
    for name in ("first.png", "second.png"):
        draw_preview(tmp_path / name, originals, POLICIES, statistics, seed=0)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    page = np.asarray(Image.open(tmp_path / "first.png").convert("RGB"))
    scale = 12 if size == 8 else 1
    picture = originals[0].transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)
    side = size * scale
    assert (page[128 : 128 + side, 30 : 30 + side] == picture).all()


def test_a_policy_is_described_by_what_is_on() -> None:
    text = describe(Policy(crop=(0.2, 1.0), flip=0.5, rand_augment=RandAugment(operations=2, magnitude=0.5)))
    assert text.replace("\N{NO-BREAK SPACE}", " ") == "crop 0.2–1 · flip 0.5 · rand augment operations 2 magnitude 0.5"
    assert describe(Policy()) == "normalized only"


def test_local_views_are_shown_as_large_as_whole_ones_in_larger_pixels(tmp_path: Path) -> None:
    originals = np.random.default_rng(0).integers(0, 256, (2, 1, 8, 8), dtype=np.uint8)
    draw_preview(tmp_path / "page.png", originals, {"local": Policy(shrink=2)}, {"mean": [0.5], "std": [0.25]}, seed=0)
    page = np.asarray(Image.open(tmp_path / "page.png").convert("L")).astype(int)
    left = 30 + 96 + 26  # margin, the original, gutter
    tile = page[128 : 128 + 96, left : left + 96].reshape(4, 24, 4, 24)
    assert (tile == tile[:, :1, :, :1]).all()
    means = originals[0, 0].reshape(4, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(tile[:, 0, :, 0], means, atol=1)
