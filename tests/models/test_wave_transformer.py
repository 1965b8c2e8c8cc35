"""The encoder of samples: nothing behind a clip's end counts, frames know their own moment, settings that cannot be."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from components.core.errors import WinnowError
from components.modalities import Input
from components.models.encoders.wave_transformer import TOGETHER, WaveTransformer, lengths_of

TINY = {"channels": 8, "strides": (5, 4), "width": 16, "reach": 5, "depth": 2, "heads": 2}
HOP = 20


def _encoder(longest: int = 400, **options: object) -> WaveTransformer:
    torch.manual_seed(0)
    given = Input("wave", (longest,))
    return WaveTransformer(given, WaveTransformer.Config.model_validate({**TINY, **options})).eval()


def _clips(*lengths: int) -> Tensor:
    samples = torch.randn(len(lengths), 400, generator=torch.Generator().manual_seed(0))
    return samples * (torch.arange(400) < torch.tensor(lengths)[:, None])


@torch.no_grad()
def test_neither_padding_nor_other_clips_change_a_vector() -> None:
    encoder, lengths = _encoder(), [1 + 7 * number % 400 for number in range(3 * TOGETHER)]
    clips = _clips(*lengths)
    together = encoder(clips)
    for row in (0, 9, 40):
        alone = clips[row : row + 1, : lengths[row]]
        torch.testing.assert_close(encoder(alone)[0], together[row], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(encoder(clips[row : row + 1])[0], together[row], rtol=1e-5, atol=1e-5)
    assert encoder(torch.zeros(2, 400)).isfinite().all()


@torch.no_grad()
def test_a_frame_for_each_hop_and_each_knows_its_own_moment_alone() -> None:
    encoder, clips = _encoder(), _clips(390, 41)
    frames, mask = encoder.hear(clips)
    assert frames.shape == (2, 20, 8)
    assert encoder.frames == 20
    assert mask.sum(1).tolist() == [20, 3]
    assert frames[~mask].abs().sum() == 0
    other = clips.clone()
    other[0, 10 * HOP : 11 * HOP] += 1
    changed = (encoder.hear(other)[0][0] != frames[0]).any(1).nonzero()[:, 0].tolist()
    assert 10 in changed
    assert set(changed) <= {9, 10, 11}


@torch.no_grad()
def test_a_moment_of_silence_within_a_clip_is_not_its_end() -> None:
    clips = _clips(400)
    clips[0, 100:300] = 0
    assert lengths_of(clips).tolist() == [400]
    assert _encoder().hear(clips)[1].all()


@torch.no_grad()
def test_order_counts() -> None:
    encoder, clips = _encoder(), _clips(400)
    assert not torch.allclose(encoder(clips), encoder(clips.roll(200, 1)), atol=1e-3)


@torch.no_grad()
def test_an_exported_program_gives_the_same_vectors_for_any_number_of_clips() -> None:
    encoder, clips = _encoder(), _clips(400, 30, 200)
    shapes = [{0: torch.export.Dim("count")}]
    program = torch.export.export(encoder, (clips[:2],), dynamic_shapes=shapes).module()
    np.testing.assert_allclose(program(clips), encoder(clips), atol=1e-5)


def test_settings_that_do_not_go_together_are_refused() -> None:
    for width, heads in ((24, 6), (32, 5)):
        with pytest.raises(WinnowError, match=r"in pretrain\.encoder choose a width that is a multiple of both"):
            _encoder(width=width, heads=heads)
    with pytest.raises(WinnowError, match=r"set pretrain\.encoder\.reach to 5 in place of 4"):
        _encoder(reach=4)
    with pytest.raises(ValidationError, match="one to twelve strides"):
        _encoder(strides=())
