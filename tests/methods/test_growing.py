"""A network that grows: the same function at first, more of it later, and the block it grows at."""

import pytest
import torch
from torch import Tensor, nn

from components.methods.growing import GrowingBlock, make_growing
from components.models.encoders import Encoder
from components.models.encoders.resnet18 import ResNet18
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from tests.pictures import given

SIZE = 16


def _encoder(name: str) -> Encoder:
    torch.manual_seed(0)
    if name == "small_resnet":
        return SmallResnet(given(1, SIZE), SmallResnet.Config(width=8))
    if name == "resnet18":
        return ResNet18(given(1, SIZE), ResNet18.Config())
    return VitSmall(given(1, SIZE), VitSmall.Config(patch=8, width=24, depth=2, heads=2))


@pytest.mark.parametrize("name", ["small_resnet", "resnet18", "vit_small"])
def test_an_encoder_that_has_grown_computes_what_it_did(name: str) -> None:
    encoder, pictures = _encoder(name).eval(), torch.randn(3, 1, SIZE, SIZE)
    before = encoder(pictures)
    growing = make_growing(encoder, 2)
    assert growing is not None
    torch.testing.assert_close(encoder(pictures), before, rtol=0, atol=0)
    growing.grow(1)
    torch.testing.assert_close(encoder(pictures), before, rtol=0, atol=0)
    learning = [all(parameter.requires_grad for parameter in copy.parameters()) for copy in growing.copies]
    assert learning == [True, False]


def test_an_open_gate_is_the_copy_behind_the_block() -> None:
    row = GrowingBlock(nn.Linear(4, 4), 2)
    row.grow(1)
    with torch.no_grad():
        for copy in row.copies:
            copy.gate.fill_(1)
    rows = torch.randn(5, 4)
    torch.testing.assert_close(row(rows), row.block(row.block(rows)))


def test_the_last_block_that_keeps_a_shape_grows() -> None:
    encoder = _encoder("resnet18")
    last = encoder.block_list()[-1]
    growing = make_growing(encoder, 1)
    assert growing is not None
    assert growing.block is last
    small = _encoder("small_resnet")
    growing = make_growing(small, 1)
    assert growing is not None
    assert growing is next(small.stages.children())


def test_without_a_block_that_keeps_a_shape_nothing_grows() -> None:
    class Plain(Encoder):
        def __init__(self) -> None:
            super().__init__(given(1, SIZE))
            self.layer, self.dim = nn.Linear(SIZE * SIZE, 4), 4

        def forward(self, pictures: Tensor) -> Tensor:
            vectors: Tensor = self.layer(pictures.flatten(1))
            return vectors

    assert make_growing(Plain(), 3) is None
