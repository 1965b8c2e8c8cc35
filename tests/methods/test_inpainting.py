"""What is hidden and what it costs, by hand; what the encoder cannot see."""

import pytest
import torch

from components.methods.contracts import Batch
from components.methods.self_supervised.inpainting import Inpainting, hidden_squares, masked_error
from components.models.encoders.small_resnet import SmallResnet
from tests.pictures import given


def _method(**options: float) -> Inpainting:
    torch.manual_seed(0)
    config = Inpainting.Config.model_validate({"width": 8, **options})
    return Inpainting(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), config)


def test_squares_lie_where_the_numbers_say_and_never_leave_the_picture() -> None:
    places = torch.tensor([[[0.0, 0.0]], [[0.999999, 0.5]]])
    hidden = hidden_squares(places, 6, 3)
    first = torch.zeros(6, 6, dtype=torch.bool)
    first[:3, :3] = True
    second = torch.zeros(6, 6, dtype=torch.bool)
    second[3:, 2:5] = True
    assert torch.equal(hidden[:, 0], torch.stack([first, second]))


def test_overlapping_squares_hide_their_union() -> None:
    places = torch.tensor([[[0.0, 0.0], [0.0, 0.25]]])  # 2 of 5 wide, columns 0 and 1
    assert hidden_squares(places, 5, 2).sum().item() == 2 * 3


def test_the_error_is_the_mean_over_what_is_hidden_of_each_picture() -> None:
    pictures, painted = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    hidden = torch.zeros(2, 1, 2, 2, dtype=torch.bool)
    hidden[0, 0, 0, 0], hidden[1, 0, 0] = True, True
    painted[0, 0, 0, 0], painted[1, 0, 0] = 2, torch.tensor([1.0, 3.0])
    assert masked_error(painted, pictures, hidden).item() == pytest.approx((4 + (1 + 9) / 2) / 2)


def test_with_equal_areas_it_is_the_papers_formula_over_the_pixels_hidden() -> None:
    pictures, painted = (torch.rand(4, 3, 8, 8, dtype=torch.float64) for _ in range(2))
    hidden = hidden_squares(torch.rand(4, 1, 2), 8, 4)
    by_formula = (hidden * (pictures - painted)).square().sum() / (3 * hidden.sum())
    torch.testing.assert_close(masked_error(painted, pictures, hidden), by_formula)


def test_what_is_seen_has_no_gradient_and_what_is_hidden_a_finite_one() -> None:
    pictures, painted = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8, requires_grad=True)
    hidden = hidden_squares(torch.rand(2, 2, 2), 8, 3)
    masked_error(painted, pictures, hidden).backward()
    assert painted.grad is not None
    assert torch.isfinite(painted.grad).all()
    assert torch.equal(painted.grad != 0, hidden)


def test_the_painter_cannot_see_what_is_hidden() -> None:
    method = _method().eval()
    pictures = torch.rand(2, 1, 16, 16)
    shown = method.show(pictures, torch.Generator().manual_seed(3))
    gone = (shown["hidden"] == 0) & (pictures != 0)
    assert gone.sum().item() == 2 * 8 * 8
    other = method.show(torch.where(gone, 7.0, pictures), torch.Generator().manual_seed(3))
    torch.testing.assert_close(other["painted"], shown["painted"])
    assert torch.equal(shown["painted"][~gone], pictures[~gone])


def test_every_step_hides_another_place() -> None:
    method = _method().eval()
    batch = Batch([torch.rand(4, 1, 16, 16)], generator=torch.Generator().manual_seed(0))
    assert method.training_step(batch).loss != method.training_step(batch).loss
