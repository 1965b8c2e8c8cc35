"""Views of several sizes through one encoder: their order, and how few passes it takes."""

import torch

from components.methods.multi_crop import encode_crops
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def test_vectors_come_in_the_order_of_the_views_and_a_size_takes_one_pass() -> None:
    torch.manual_seed(0)
    encoder = SmallResnet(given(1, 32), SmallResnet.Config(width=8)).eval()
    views = [torch.rand(3, 1, side, side) for side in (32, 32, 16, 16, 16)]
    passes = []
    encoder.register_forward_hook(lambda _, inputs, __: passes.append(len(inputs[0])))
    together = encode_crops(encoder, views)
    assert passes == [6, 9]
    torch.testing.assert_close(together, torch.cat([encoder(view) for view in views]))
