"""Patches by hand and against lightly's, and back."""

import pytest
import torch
from lightly.models.utils import patchify

from components.methods.patches import cut, join


def test_patches_are_cut_row_by_row() -> None:
    picture = torch.arange(16.0).view(1, 1, 4, 4)
    assert cut(picture, 2)[0, 1, 0].tolist() == [[2, 3], [6, 7]]
    assert cut(picture, 2)[0, 2, 0].tolist() == [[8, 9], [12, 13]]


@pytest.mark.parametrize("side", [2, 6])
def test_joined_patches_are_the_picture(side: int) -> None:
    pictures = torch.rand(3, 2, 6, 6)
    assert torch.equal(join(cut(pictures, side)), pictures)


def test_they_agree_with_lightly_that_puts_colors_last() -> None:
    pictures = torch.rand(3, 2, 12, 12).contiguous(memory_format=torch.channels_last)
    ours = cut(pictures, 4).permute(0, 1, 3, 4, 2).flatten(2)
    assert torch.equal(ours, patchify(pictures, 4))
