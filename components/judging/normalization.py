"""Are pictures normalized as they were when given weights were learned? A network's first batch norm remembers.

Its running mean and variance are of what the first convolution made of the pictures it was trained on; what that makes
of these pictures should be alike. Other pictures differ a little, another normalization by much.
"""

import torch
from torch import Tensor, nn

from components.modalities.views import Views
from components.models.encoders import Encoder

USUAL = {
    "mean .485 .456 .406 and deviation .229 .224 .225": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "mean .5 and deviation .5": ([0.5] * 3, [0.5] * 3),
    "mean 0 and deviation 1": ([0.0] * 3, [1.0] * 3),
}
CLEARLY = 2.0  # times as far off as the nearest usual normalization is


def doubt(encoder: Encoder, views: Views, pictures: Tensor) -> str:
    """A sentence where a usual normalization would fit the encoder's first batch norm much better, or nothing.

    views: as these pictures are normalized now; pictures: `(N, 3, S, S)` uint8, a few dozen. Networks without batch
    norm, other channels and other kinds of data are not judged.
    """
    norm = next((module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)), None)
    if norm is None or norm.running_mean is None or len(views.statistics.get("mean", ())) != 3:
        return ""
    own = _off(encoder, norm, views.plain(pictures))
    others = {
        name: _off(encoder, norm, views.by({"mean": mean, "std": std}).plain(pictures))
        for name, (mean, std) in USUAL.items()
    }
    best = min(others, key=lambda name: others[name])
    if own < CLEARLY * others[best]:
        return ""
    return (
        f"warning: these weights seem to have been learned with {best}: so normalized, pictures are {others[best]:.2f} "
        f"from what their first batch norm remembers, and as they are normalized now {own:.2f}, which can cost much: "
        "set pretrain.weights mean and std."
    )


class _Seen(Exception):  # noqa: N818 - no error: the network need not be run to its end
    pass


def _off(encoder: Encoder, norm: nn.BatchNorm2d, views: Tensor) -> float:
    """Median over channels of how far mean and deviation of the norm's inputs are from its own, in its deviations."""
    caught: list[Tensor] = []

    def catch(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        caught.append(inputs[0])
        raise _Seen

    handle = norm.register_forward_pre_hook(catch)
    try:
        with torch.no_grad():
            encoder.eval()(views)
    except _Seen:
        pass
    finally:
        handle.remove()
    assert norm.running_mean is not None
    assert norm.running_var is not None
    deviation = (norm.running_var + norm.eps).sqrt()
    shift = (caught[0].mean((0, 2, 3)) - norm.running_mean).abs() / deviation
    stretch = (caught[0].std((0, 2, 3)) / deviation).clamp_min(1e-6).log().abs()
    return float((shift + stretch).median())  # channels that hardly ever answer are far off with any
