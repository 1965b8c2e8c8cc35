"""Linear probe: the encoder is left alone, the head is the solved one."""

import numpy as np
import pytest
import torch
from torch import nn

from components.methods.adaptation.linear_probe import LinearProbe
from components.methods.contracts import Batch
from components.models.encoders import Encoder
from components.models.linear_head import fit_linear
from tests.pictures import given


class Flat(Encoder):
    """Pictures as they are, scaled."""

    def __init__(self) -> None:
        super().__init__(given(1, 8))
        self.dim, self.scale = 4, nn.Parameter(torch.ones(1))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.flatten(1) * self.scale


POOL = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
TARGETS = np.eye(2, dtype=np.float32)[(POOL[:12, 0] > 0).astype(int)]
ONES = np.ones(12, np.float32)


def test_nothing_of_the_encoder_can_be_trained() -> None:
    probe = LinearProbe(Flat(), 2, LinearProbe.Config())
    assert probe.frozen_encoder
    assert not any(p.requires_grad for p in probe.encoder.parameters())


def test_the_head_is_the_solved_one() -> None:
    probe = LinearProbe(Flat(), 2, LinearProbe.Config(l2=0.3))
    loss = probe.fit_head(POOL, np.arange(12), TARGETS, ONES)
    expected, reached = fit_linear(POOL, np.arange(12), TARGETS, ONES, l2=0.3)
    assert loss == reached
    torch.testing.assert_close(probe.head.weight, expected.weight)


def test_a_step_at_the_unpenalized_optimum_goes_nowhere() -> None:
    targets = np.array([[0.7, 0.3], [0.4, 0.6]] * 6, np.float32)  # not separable, so there is an optimum
    probe = LinearProbe(Flat(), 2, LinearProbe.Config(l2=1e-9))
    loss = probe.fit_head(POOL, np.arange(12), targets, ONES)
    batch = Batch([torch.from_numpy(POOL[:12])], torch.from_numpy(targets), torch.from_numpy(ONES))
    output = probe.training_step(batch)
    output.loss.backward()
    assert output.loss.item() == pytest.approx(loss, abs=1e-5)
    assert all(float(p.grad.abs().max()) < 1e-4 for p in probe.head.parameters())
