"""The loss by torch's cross-entropy; dropout that is a function of seed and sample; that texts come apart."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from components.core import plugins, seeds
from components.core.config import PluginChoice
from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.keyed_dropout import dropout_between, dropped
from components.methods.self_supervised.simcse import SimCSE, simcse_loss
from components.models.encoders.transformer import Transformer
from tests.texts import views_of

GIVEN = views_of(["a b c d e f g h"]).input
TINY = Transformer.Config(width=16, depth=2, heads=2)


def test_the_loss_is_the_cross_entropy_of_cosines() -> None:
    draw = torch.Generator().manual_seed(0)
    first, second = (torch.randn(5, 4, generator=draw, dtype=torch.float64) for _ in range(2))
    scores = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / 0.05
    torch.testing.assert_close(simcse_loss(first, second, 0.05), F.cross_entropy(scores, torch.arange(5)))


def test_two_texts_at_right_angles_by_hand() -> None:
    loss = simcse_loss(torch.eye(2), torch.eye(2), 0.5)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2)))


def test_what_is_dropped_depends_on_the_sample_alone() -> None:
    values, keys = torch.ones(4, 5, 8), torch.tensor([3, 1, 2, 9])
    whole = dropped(values, 0.5, 7, keys)
    torch.testing.assert_close(dropped(values[1:2], 0.5, 7, keys[1:2]), whole[1:2])
    torch.testing.assert_close(dropped(values[:, :2], 0.5, 7, keys), whole[:, :2])  # in a shorter batch too
    assert not torch.equal(dropped(values, 0.5, 8, keys), whole)
    assert {*whole.unique().tolist()} == {0, 2}


def test_as_much_is_dropped_as_is_asked_for() -> None:
    made = dropped(torch.ones(50, 40, 10), 0.1, 0, torch.arange(50))
    assert (made == 0).double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert made.mean().item() == pytest.approx(1, abs=0.02)


def test_lots_are_even_and_the_first_ones_stay() -> None:
    lots = seeds.lots(3, np.arange(100), 403)
    assert lots.mean() == pytest.approx(2**15, rel=0.02)
    np.testing.assert_array_equal(seeds.lots(3, np.arange(100), 10), lots[:, :10])


def test_dropout_is_taken_away_again() -> None:
    encoder, views = Transformer(GIVEN, TINY).eval(), torch.tensor([[2, 3, 4]])
    before = encoder(views)
    with dropout_between(encoder, 0.5, 0, torch.tensor([0])):
        assert not torch.allclose(encoder(views), before)
    assert torch.equal(encoder(views), before)


def test_a_text_has_the_same_two_vectors_whoever_else_is_in_the_batch() -> None:
    torch.manual_seed(0)
    method = SimCSE(Transformer(GIVEN, TINY), SimCSE.Config())
    views, keys = torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0], [8, 2, 2, 0]]), torch.tensor([5, 6, 7])
    whole, alone = method._seen(views, keys, 1), method._seen(views[1:2], keys[1:2], 1)
    torch.testing.assert_close(alone, whole[1:2])
    assert not torch.allclose(method._seen(views, keys, 2), whole)


def test_averaged_word_vectors_are_refused() -> None:
    encoder = plugins.build("encoder", PluginChoice(name="word_vectors"), GIVEN, where="encoder")
    with pytest.raises(WinnowError, match=r"set pretrain\.encoder to transformer"):
        plugins.build("self_supervised", PluginChoice(name="simcse"), encoder, where="method")


def test_one_step_is_repeatable() -> None:
    torch.manual_seed(0)
    method = SimCSE(Transformer(GIVEN, TINY), SimCSE.Config())
    views = torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0]])
    losses = [
        method.training_step(Batch([views], keys=torch.arange(2), generator=torch.Generator().manual_seed(3))).loss
        for _ in range(2)
    ]
    assert torch.equal(*losses)
