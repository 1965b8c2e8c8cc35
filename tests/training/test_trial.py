"""A trial spends what it was given, on steps whose learning rate comes to its end."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from components.core.config import Config as BaseConfig
from components.methods.contracts import Batch, StepOutput, TrainableMethod
from components.modalities.image.policy import Policy
from components.training.corpus import Corpus
from components.training.loop import LoopConfig
from components.training.trial import run_trial
from tests.pictures import views_of

LOOP = LoopConfig(batch_size=8, precision="float32")


class Counting(TrainableMethod):
    """Counts its steps; each takes as long as it is told, by a clock that the test owns."""

    views = ("view",)
    steps: int = 0

    class Config(BaseConfig):
        """Nothing to choose."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        super().__init__()
        self.weight, self.clock, self.seconds, self.seen = nn.Parameter(torch.ones(1)), clock, seconds, []

    def training_step(self, batch: Batch) -> StepOutput:
        self.clock[0] += self.seconds
        self.steps += 1
        self.seen += batch.keys.tolist()
        return StepOutput(self.weight.square().sum())


@pytest.mark.parametrize(("seconds", "steps", "epochs"), [(20.0, 20, 4), (3.0, 3, 1), (7.0, 6, 2)])
def test_the_steps_are_those_that_fit_into_the_time(
    monkeypatch: pytest.MonkeyPatch, seconds: float, steps: int, epochs: int
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    samples = np.zeros((40, 1, 4, 4), dtype=np.uint8)  # five steps a pass
    policies = views_of({"view": Policy()}, [0.5], [0.5])
    data = Corpus(samples, np.arange(40), policies)
    method, trial = run_trial(lambda: Counting(clock, 1.0), data, LOOP, seconds, seed=0)
    assert isinstance(method, Counting)
    assert method.steps == steps
    assert len(trial.history) == epochs
    assert trial.cpu_seconds == steps
    assert trial.samples_per_second == 8
    assert trial.epochs == pytest.approx(steps / 5)
    assert trial.history[-1]["learning_rate"] < trial.history[0]["learning_rate"] or epochs == 1
