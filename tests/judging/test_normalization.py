"""A first batch norm remembers how pictures were normalized: a wrong normalization is told, the right one is not."""

from typing import Any

import pytest
import torch
from torch import nn

from components.core.config import PluginChoice
from components.core.plugins import build
from components.judging.normalization import USUAL, doubt
from components.models.encoders import Encoder
from tests.pictures import given, views_of

IMAGENET, HALF, _ = USUAL


def _views(name: str) -> Any:
    mean, std = USUAL[name]
    return views_of({}, mean, std)


def _pictures() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (16, 3, 16, 16), generator=generator, dtype=torch.uint8)


@pytest.fixture
def encoder() -> Encoder:
    """One whose first batch norm saw the pictures, normalized by mean .5 and deviation .5."""
    torch.manual_seed(0)
    built: Encoder = build("encoder", PluginChoice(name="small_resnet"), given(3, 16), where="encoder")
    norm = next(module for module in built.modules() if isinstance(module, nn.BatchNorm2d))
    norm.momentum = None  # the mean of all it saw
    with torch.no_grad():
        built.train()(_views(HALF).plain(_pictures()))
    return built


def test_pictures_normalized_as_then_are_not_doubted(encoder: Encoder) -> None:
    assert not doubt(encoder, _views(HALF), _pictures())


def test_another_normalization_is_doubted_and_the_likely_one_is_named(encoder: Encoder) -> None:
    said = doubt(encoder, _views(IMAGENET), _pictures())
    assert f"seem to have been learned with {HALF}" in said
    assert "set pretrain.weights mean and std" in said


def test_networks_without_batch_norm_and_gray_pictures_are_not_judged(encoder: Encoder) -> None:
    plain: Encoder = build(
        "encoder", PluginChoice(name="vit_small", patch=4, width=16, depth=1, heads=2), given(3, 16), where="encoder"
    )
    assert not doubt(plain, _views(IMAGENET), _pictures())
    assert not doubt(encoder, views_of({}, [0.5], [0.5]), _pictures()[:, :1])
