"""Orders by the paper's rule, tiles by hand, and a loss that sees the order alone."""

import math
from itertools import permutations

import pytest
import torch

from components.methods.contracts import Batch
from components.methods.self_supervised.jigsaw import Jigsaw, alike, different_orders, tile_squares
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: object) -> Jigsaw:
    torch.manual_seed(0)
    return Jigsaw(SmallResnet(given(1, 32), SmallResnet.Config(width=8)), Jigsaw.Config.model_validate(options))


def test_all_orders_of_four_tiles_are_there_once() -> None:
    orders = {tuple(order) for order in different_orders(4, 100).tolist()}
    assert orders == set(permutations(range(4)))


def test_each_order_is_as_far_from_those_before_it_as_any_can_be() -> None:
    orders = different_orders(4, 6)
    assert orders[0].tolist() == [0, 1, 2, 3]
    every = torch.tensor(list(permutations(range(4))))
    for number in range(1, 6):
        before = orders[:number]
        distances = (every[:, None] != before).sum((1, 2))
        fresh = ~(every[:, None] == before).all(2).any(1)
        assert (orders[number] != before).sum() == distances[fresh].max()


def test_orders_of_nine_tiles_differ_almost_everywhere() -> None:
    orders = different_orders(9, 20)
    different = (orders[:, None] != orders).sum(2)[~torch.eye(20, dtype=torch.bool)]
    assert different.float().mean() > 8  # of 9; at random it is 8


def test_squares_are_cut_from_the_first_corner_to_the_last() -> None:
    tiles = torch.arange(16.0).view(1, 1, 1, 4, 4).expand(1, 2, 1, 4, 4)
    cut = tile_squares(tiles, torch.tensor([[[0.0, 0.0], [0.99, 0.5]]]), 3)
    assert cut[0, 0, 0].tolist() == [[0, 1, 2], [4, 5, 6], [8, 9, 10]]
    assert cut[0, 1, 0].tolist() == [[5, 6, 7], [9, 10, 11], [13, 14, 15]]


def test_tiles_tell_nothing_by_their_brightness_or_contrast() -> None:
    tiles = torch.rand(2, 4, 1, 6, 6) * 50
    torch.testing.assert_close(alike(3 * tiles + 7), alike(tiles), rtol=1e-3, atol=1e-3)
    assert not alike(torch.full((1, 1, 1, 3, 3), 5.0)).any()


def test_pictures_whose_tiles_are_alike_cannot_be_put_in_order() -> None:
    method = _method(gap=0.0).eval()
    tile = torch.rand(64, 1, 16, 16)
    output = method.training_step(Batch([tile.repeat(1, 1, 2, 2)], generator=torch.Generator().manual_seed(0)))
    assert output.loss > math.log(24) - 0.2  # the head cannot know more than chance
    assert output.metrics["recognized"] < 0.2


def test_it_learns_the_order_of_tiles_that_differ() -> None:
    method = _method(gap=0.0)
    ramp = torch.linspace(-1, 1, 16)
    corners = [ramp[:, None] + ramp, ramp[:, None] - ramp, -ramp[:, None] + ramp, (ramp[:, None] * ramp) * 2]
    picture = torch.cat([torch.cat(corners[:2], 1), torch.cat(corners[2:], 1)])[None, None].expand(64, 1, 32, 32)
    optimizer = torch.optim.AdamW(method.parameters(), lr=0.003)
    losses = []
    for step in range(25):
        loss = method.training_step(Batch([picture], generator=torch.Generator().manual_seed(step))).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(math.log(24), rel=0.2)
    assert losses[-1] < 0.5 * losses[0]
