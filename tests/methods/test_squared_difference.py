"""The difference of two judgements by hand, and where its gradient goes."""

import pytest
import torch

from components.methods.squared_difference import squared_difference


def test_the_difference_has_the_value_by_hand() -> None:
    first, second = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.9, 0.1]]).log()
    assert squared_difference(first, second).item() == pytest.approx(0.16)


def test_the_gradient_goes_through_both_views_in_opposite_directions() -> None:
    first, second = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    both = torch.stack([first, second]).detach().requires_grad_()
    squared_difference(both[0], both[1]).backward()
    assert both.grad is not None
    assert (both.grad.abs().sum((1, 2)) > 0).all()
