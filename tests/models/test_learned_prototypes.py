"""Prototypes: cosines whatever the lengths, and lengths of 1 on request."""

import torch
from torch.nn import functional as F

from components.models.prototype_layer import PrototypeLayer


def test_scores_are_cosines_whatever_the_lengths() -> None:
    torch.manual_seed(0)
    prototypes, outputs = PrototypeLayer(5, 3), torch.randn(4, 5)
    expected = F.cosine_similarity(outputs[:, None], prototypes.directions, dim=2)
    torch.testing.assert_close(prototypes(outputs), expected)
    with torch.no_grad():
        prototypes.directions.mul_(torch.tensor([[0.1], [2.0], [30.0]]))
    torch.testing.assert_close(prototypes(7 * outputs), expected)


def test_normalizing_turns_no_prototype() -> None:
    prototypes, outputs = PrototypeLayer(5, 3), torch.randn(4, 5)
    with torch.no_grad():
        prototypes.directions.mul_(4)
    before = prototypes(outputs)
    prototypes.normalize()
    torch.testing.assert_close(prototypes.directions.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(prototypes(outputs), before)


def test_half_precision_outputs_are_compared_in_full() -> None:
    prototypes = PrototypeLayer(5, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = prototypes(torch.randn(4, 5).bfloat16())
    assert scores.dtype == torch.float32
