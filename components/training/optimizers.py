"""The optimizer and its learning rate over time: linear warm-up, then half a cosine to zero.

Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983 (schedule); 2019, https://arxiv.org/abs/1711.05101 (AdamW).
"""

import math
from typing import Any, Literal

import torch
from torch.optim import SGD, AdamW, Optimizer

from components.methods.contracts import TrainableMethod

Name = Literal["adamw", "sgd"]
MOMENTUM = 0.9


def build_optimizer(
    method: TrainableMethod, name: Name, *, learning_rate: float, weight_decay: float
) -> tuple[Optimizer, list[float]]:
    """The optimizer over the method's own groups, and each group's full rate.

    Vectors (biases, norm weights) are not decayed: He et al. 2019, https://arxiv.org/abs/1812.01187.
    """
    groups: list[dict[str, Any]] = []
    for group in method.parameter_groups(learning_rate):
        matrices = [p for p in group["params"] if p.ndim > 1]
        vectors = [p for p in group["params"] if p.ndim <= 1]
        decay = group.get("weight_decay", weight_decay)
        groups += [{**group, "params": matrices, "weight_decay": decay}] if matrices else []
        groups += [{**group, "params": vectors, "weight_decay": 0.0}] if vectors else []
    rates = [float(group.get("lr", learning_rate)) for group in groups]
    if name == "sgd":
        return SGD(groups, lr=learning_rate, momentum=MOMENTUM, nesterov=True, foreach=True), rates
    return AdamW(groups, lr=learning_rate, fused=True), rates


def rate_factor(step: int, *, steps: int, warmup: int) -> float:
    """What step `step` (from 0) multiplies the full rate by: `(step + 1) / warmup` at first, then the cosine."""
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def set_rates(optimizer: Optimizer, rates: list[float], factor: float) -> None:
    """Give every group `factor` times its full rate."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate * factor


def optimizer_tensors(optimizer: Optimizer) -> dict[str, torch.Tensor]:
    """The optimizer's state by parameter number and name, for a checkpoint; rates follow from the step."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value
        for number, values in state.items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def restore_optimizer(optimizer: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Go on from what `optimizer_tensors` gave."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        like = parameters[int(number)]
        # the order in memory must be the parameter's own (channels last): the fused step goes by it
        fitted = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        state.setdefault(int(number), {})[name] = fitted
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
