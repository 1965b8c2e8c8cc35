"""A running mean of a module's weights: smoother than the last step's, and the teacher of many methods.

Polyak & Juditsky 1992; Tarvainen & Valpola 2017, https://arxiv.org/abs/1703.01780.
"""

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential moving average of the parameters; buffers (batch-norm statistics) are the latest."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = [parameter.detach().clone() for parameter in module.parameters()]

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards `module` by `1 - decay`, faster in the first steps: decay is at most `(1 + n) / (10 + n)`."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.weights, [p.detach() for p in module.parameters()], 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Overwrite the parameters of `module` with the means."""
        for parameter, weight in zip(module.parameters(), self.weights, strict=True):
            parameter.copy_(weight)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps."""
        return {"steps": torch.tensor(self.steps), **{str(i): weight for i, weight in enumerate(self.weights)}}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        self.steps = int(state["steps"])
        for index, weight in enumerate(self.weights):
            weight.copy_(state[str(index)])
