"""The error on hidden patches by hand and against lightly's pieces; what encoder and decoder cannot see."""

import pytest
import torch
from lightly.models.utils import normalize_mean_var
from torch import Tensor

from components.core.errors import WinnowError
from components.methods.contracts import Batch
from components.methods.self_supervised.mae import MAE, hidden_error
from components.models.encoders.small_resnet import SmallResnet
from components.models.encoders.vit_small import VitSmall
from tests.pictures import given


def _method(**options: object) -> MAE:
    torch.manual_seed(0)
    encoder = VitSmall(given(1, 16), VitSmall.Config(patch=4, width=24, depth=2, heads=2))
    return MAE(encoder, MAE.Config.model_validate({"width": 16, "depth": 1, "heads": 2, **options})).eval()


def _seed(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_only_hidden_patches_count_and_the_value_is_that_by_hand() -> None:
    targets = torch.tensor([[[0.0, 2.0], [1.0, 1.0], [5.0, 5.0]]])
    painted = torch.tensor([[[1.0, 2.0], [1.0, 4.0], [9.0, 9.0]]])
    hidden = torch.tensor([[1, 0]])
    assert hidden_error(painted, targets, hidden, normalized=False).item() == pytest.approx((1 + 0 + 0 + 9) / 4)


def test_normalized_targets_are_lightlys() -> None:
    targets, painted = (torch.randn(3, 8, 12, generator=_seed(seed)) for seed in (0, 1))
    hidden = torch.rand(3, 8, generator=_seed()).argsort(1)[:, :5]
    rows = torch.arange(3)[:, None]
    theirs = (painted - normalize_mean_var(targets, dim=-1))[rows, hidden].square().mean()
    torch.testing.assert_close(hidden_error(painted, targets, hidden, normalized=True), theirs, rtol=1e-5, atol=1e-5)


def test_neither_brightness_nor_contrast_of_a_patch_changes_its_normalized_target() -> None:
    targets, painted = (torch.randn(2, 4, 9, generator=_seed(seed), dtype=torch.float64) for seed in (0, 1))
    hidden = torch.tensor([[0, 1], [2, 3]])
    plain = hidden_error(painted, targets, hidden, normalized=True)
    torch.testing.assert_close(
        hidden_error(painted, 3 * targets + 5, hidden, normalized=True), plain, rtol=1e-5, atol=0
    )


def test_a_flat_patch_is_a_target_of_zeros_with_a_finite_gradient() -> None:
    painted = torch.ones(1, 2, 4, requires_grad=True)
    loss = hidden_error(painted, torch.full((1, 2, 4), 3.0), torch.tensor([[0]]), normalized=True)
    loss.backward()
    assert loss.item() == pytest.approx(1)
    assert painted.grad is not None
    assert torch.isfinite(painted.grad).all()


@pytest.mark.parametrize(("masked", "seen"), [(0.75, 4), (0.5, 8), (0.99, 1), (0.01, 15)])
def test_the_encoder_is_given_the_visible_share_of_the_patches_and_no_more(masked: float, seen: int) -> None:
    method = _method(masked=masked)
    lengths: list[int] = []
    method.encoder.blocks[0].register_forward_hook(lambda _, inputs, __: lengths.append(inputs[0].shape[1]))
    method.training_step(Batch([torch.rand(3, 1, 16, 16)], generator=_seed()))
    assert lengths == [seen]


@pytest.mark.parametrize("normalized", [False, True])
def test_what_is_painted_does_not_depend_on_what_is_hidden(normalized: bool) -> None:
    method = _method(normalized=normalized)
    pictures = torch.rand(2, 1, 16, 16) + 0.1
    shown = method.show(pictures, _seed(3))
    gone = shown["hidden"] == 0
    assert gone.sum().item() == 2 * 12 * 16
    # each hidden patch turned by half keeps the mean and deviation that `show` gives back to normalized ones
    turned = pictures.view(2, 1, 4, 4, 4, 4).flip(3, 5).view_as(pictures)
    other = method.show(torch.where(gone, turned, pictures), _seed(3))
    torch.testing.assert_close(other["painted"], shown["painted"])
    assert torch.equal(shown["painted"][~gone], pictures[~gone])


def test_two_hidden_places_are_painted_differently() -> None:
    painted = _method(normalized=False).show(torch.rand(1, 1, 16, 16), _seed())["painted"]
    patches: Tensor = painted.unfold(2, 4, 4).unfold(3, 4, 4).reshape(16, 16)
    assert len(patches.unique(dim=0)) == 16


def test_an_encoder_without_patches_is_refused() -> None:
    with pytest.raises(WinnowError, match="choose vit_small"):
        MAE(SmallResnet(given(1, 16), SmallResnet.Config(width=8)), MAE.Config())
