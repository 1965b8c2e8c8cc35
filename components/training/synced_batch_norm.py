"""Batch norm over the batch of all workers, on any device, so that their number does not change what is trained.

Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167. torch's own needs a GPU. Workers must hold equal shares.
"""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def sync_batch_norm(module: nn.Module) -> None:
    """Make every batch norm in `module` use the statistics of all workers in training; its state stays as it is."""
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.forward = _forward.__get__(part)  # type: ignore[method-assign]


def _forward(self: _BatchNorm, inputs: Tensor) -> Tensor:
    if not self.training:
        return type(self).forward(self, inputs)
    assert self.running_mean is not None
    assert self.running_var is not None
    assert self.momentum is not None
    assert self.num_batches_tracked is not None
    outputs, mean, variance = _Synced.apply(inputs, self.weight, self.bias, self.eps)
    count = inputs.numel() // inputs.shape[1] * distributed.get_world_size()
    with torch.no_grad():
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
    result: Tensor = outputs
    return result


class _Synced(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        axes = [axis for axis in range(inputs.ndim) if axis != 1]
        precise = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        own = torch.stack(torch.var_mean(precise, axes, correction=0))  # (2, C): variance, mean
        all_of_them = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(all_of_them, own)
        variances, means = torch.stack(all_of_them).unbind(1)
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        ctx.save_for_backward(inputs, weight, mean, variance)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return torch.batch_norm(inputs, weight, bias, mean, variance, False, 0.0, eps, False), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """The single worker's gradient, then what the other workers' sums add to it: `a + b x` per channel."""
        inputs, weight, mean, variance = ctx.saved_tensors
        scale = (variance + ctx.eps).rsqrt()
        arguments = (weight, mean, variance, mean, scale, True, ctx.eps, [True, True, True])
        gradient, for_weight, for_bias = torch.ops.aten.native_batch_norm_backward(gradients[0], inputs, *arguments)
        own = torch.stack([for_weight, for_bias])
        total = own.clone()
        distributed.all_reduce(total)
        count = inputs.numel() // inputs.shape[1]
        excess_weight, excess_bias = ((own - total / distributed.get_world_size()) * weight * scale / count).unbind()
        slope = excess_weight * scale
        shape = (-1,) + (1,) * (inputs.ndim - 2)
        gradient.addcmul_(inputs, slope.view(shape)).add_((excess_bias - slope * mean).view(shape))
        return gradient, for_weight, for_bias, None
