"""On a CUDA device every self-supervised method makes the steps it makes on the CPU."""

import pytest
import torch

from components.core import plugins, seeds
from components.training.loop import LoopConfig, train
from tests.contracts.built import corpus_of, self_supervised

SIZE, SAMPLES = 32, 64
LOOP = LoopConfig(epochs=3, batch_size=32, learning_rate=0.01, optimizer="sgd", clip=1.0)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", plugins.names("self_supervised"))
def test_a_method_has_the_same_loss_curve_on_the_device(name: str) -> None:
    there, here = (_losses(name, torch.device(kind), "float32") for kind in ("cuda", "cpu"))
    torch.testing.assert_close(there, here, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("name", plugins.names("self_supervised"))
def test_a_method_trains_in_half_precision_on_the_device(name: str) -> None:
    half, full = (_losses(name, torch.device("cuda"), precision) for precision in ("bfloat16", "float32"))
    torch.testing.assert_close(half, full, rtol=0.1, atol=0.02)


def _losses(name: str, device: torch.device, precision: str) -> torch.Tensor:
    seeds.deterministic(1)
    method = self_supervised(name, SIZE)
    data = corpus_of(method.encoder.given.kind, SAMPLES, SIZE)
    loop = LOOP.model_copy(update={"precision": precision})
    return torch.tensor([row["loss"] for row in train(method, data, loop, seed=0, device=device)])
