"""Query synthesis on a world whose boundaries are known: brightness is the code, and classes are ranges of it."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from components.methods.contracts import Batch, GenerativeMethod, StepOutput
from components.models.classifier import Classifier, ClassifierSpec
from components.models.encoders import Encoder
from components.training.synthesis import _in_turns, synthesize
from tests.pictures import given, spec_of

ENDS = [0.25, 0.5]  # of the first classes' ranges; the last class has the rest
SPEC = spec_of(name="small_resnet", channels=1, image_size=8, dim=1, mean=[0.0], std=[1.0])


class Brightness(Encoder):
    """A picture's mean."""

    def __init__(self) -> None:
        super().__init__(given(1, 8))
        self.dim = 1

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.mean((1, 2, 3))[:, None]


class Painter(GenerativeMethod):
    """Codes are brightnesses."""

    views = ("view",)

    def training_step(self, batch: Batch) -> StepOutput:
        raise AssertionError

    def codes(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        return pictures.mean((1, 2, 3))[:, None]

    def decode(self, codes: Tensor) -> Tensor:
        return codes[:, :, None, None].expand(-1, 1, 8, 8)


class Ranges(nn.Module):
    """Logits of three classes, each the highest in its range of brightness."""

    def forward(self, vectors: Tensor) -> Tensor:
        slopes = torch.tensor([0.0, 1.0, 2.0])
        offsets = torch.tensor([0.0, -ENDS[0], -ENDS[0] - ENDS[1]])
        return 100 * (vectors * slopes + offsets)


def classifier(head: nn.Module) -> Classifier:
    return Classifier(Brightness(), head, ClassifierSpec(encoder=SPEC, classes=["a", "b", "c"], method="full"))


def pictures(*brightness: float) -> np.ndarray:
    values = np.array(brightness, np.float32)[:, None, None, None] * 255
    return np.broadcast_to(values, (len(brightness), 1, 8, 8)).round().astype(np.uint8)


def run(real: np.ndarray, count: int, head: nn.Module | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = torch.Generator().manual_seed(seed)
    made = synthesize(Painter(), classifier(head or Ranges()), real, count, generator)
    return made.pictures, made.probabilities


def test_what_is_made_lies_within_a_gray_level_of_a_boundary_and_takes_turns_at_them() -> None:
    made, probabilities = run(pictures(0.1, 0.4, 0.9), 6)
    levels = made[:, 0, 0, 0] / 255
    distance = np.abs(levels[:, None] - ENDS).min(1)
    assert len(made) == 6
    assert distance.max() <= 1 / 255
    nearest = np.abs(levels[:, None] - ENDS).argmin(1).tolist()
    assert all(set(nearest[turn : turn + 2]) == {0, 1} for turn in (0, 2, 4))
    two = np.sort(probabilities, 1)[:, 1:]
    assert (two[:, 1] - two[:, 0]).max() < 0.25  # a gray level changes it by tanh(100 / 255 / 2)


def test_a_model_that_sees_one_class_has_no_boundary() -> None:
    made, probabilities = run(pictures(0.05, 0.1, 0.2), 5)
    assert made.shape == (0, 1, 8, 8)
    assert probabilities.shape == (0, 3)


def test_the_most_natural_of_each_pair_comes_first() -> None:
    pairs = np.array([[0, 1], [0, 1], [1, 2], [0, 1], [1, 2]])
    similarity = np.array([0.1, 0.9, 0.2, 0.5, 0.7], np.float32)
    assert _in_turns(pairs, similarity).tolist() == [1, 4, 3, 2, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_equal_generators_make_equal_pictures(seed: int) -> None:
    real = pictures(*np.linspace(0.05, 0.95, 40).tolist())
    np.testing.assert_array_equal(run(real, 5, seed=seed)[0], run(real, 5, seed=seed)[0])
