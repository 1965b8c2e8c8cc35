"""The network for log-mel frames does not see what is behind a clip's end, nor who else is in the batch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.core.config import PluginChoice
from components.core.plugins import build
from components.modalities.speech import Speech
from components.models.encoder_file import EncoderSpec, Inputs
from components.models.encoders import Encoder
from components.models.export import export
from tests.clips import records_of

KIND = Speech(Speech.Config(sample_rate=8000, seconds=1.0))
RECORDS, _ = records_of(20)
STATISTICS = KIND.measure(RECORDS, np.arange(20))


@pytest.fixture(params=[(1, 1), (2, 2), (0, 1)])
def network(request: pytest.FixtureRequest) -> Encoder:
    torch.manual_seed(0)
    choice = PluginChoice.model_validate({"name": "mel_network", "width": 8, "blocks": list(request.param)})
    encoder: Encoder = build("encoder", choice, KIND.input(STATISTICS), where="encoder")
    views = KIND.plain(STATISTICS)(torch.from_numpy(RECORDS))
    for _ in range(20):
        encoder.train()(views)
    return encoder.eval()


def test_a_clip_has_one_vector_whatever_is_beside_and_behind_it(network: Encoder) -> None:
    views = KIND.plain(STATISTICS)(torch.from_numpy(RECORDS))
    vectors = network(views)
    assert vectors.shape == (20, network.dim)
    for row in (0, 3, 7):
        length = int((views[row] != 0).any(0).nonzero()[-1]) + 1
        for alone in (views[row : row + 1, :, :length], torch.nn.functional.pad(views[row : row + 1], (0, 37))):
            torch.testing.assert_close(network(alone)[0], vectors[row], atol=1e-5, rtol=1e-4)


def test_laid_end_to_end_or_side_by_side_it_is_the_same(network: Encoder) -> None:
    views = KIND.plain(STATISTICS)(torch.from_numpy(RECORDS))
    exported = torch.export.export(network, (views,)).module()
    torch.testing.assert_close(exported(views), network(views), atol=1e-5, rtol=1e-4)


def test_an_exported_program_takes_samples(network: Encoder, tmp_path: Path) -> None:
    spec = EncoderSpec(
        name="mel_network",
        options={"width": 8},
        inputs=Inputs(modality=KIND.choice, statistics=STATISTICS),
        dim=network.dim,
    )
    program = torch.export.load(export(network, spec, tmp_path, "pt2")).module()
    records = torch.zeros(20, 8000, dtype=torch.int16)
    records[:, : RECORDS.shape[1]] = torch.from_numpy(RECORDS)
    vectors = network(KIND.plain(STATISTICS)(torch.from_numpy(RECORDS)))
    torch.testing.assert_close(program(records), vectors, atol=1e-4, rtol=1e-3)


def test_a_clip_without_a_sound_has_a_vector(network: Encoder) -> None:
    assert torch.isfinite(network(network.example(2))).all()


def test_it_learns_from_every_frame(network: Encoder) -> None:
    views = KIND.plain(STATISTICS)(torch.from_numpy(RECORDS)).requires_grad_()
    network.train()(views).square().sum().backward()
    assert views.grad is not None
    inside = (views != 0).any(1)
    assert (views.grad.abs().sum(1)[inside] > 0).float().mean() > 0.95
