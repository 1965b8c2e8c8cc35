"""Weights out of a file, refused by name where no network could have learned them: odd types, impossible numbers."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from components.core.errors import WinnowError

LARGEST = 1e8  # of a trained network's numbers; beyond it sums run over
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def unsound(name: str, given: Tensor, own: Tensor) -> str:
    """Why `given` cannot stand in the place of `own`, as a clause; empty where it can. Shapes are not compared."""
    if given.layout is not torch.strided or given.is_quantized or given.device.type != "cpu":
        return f"'{name}' is no plain tensor of numbers (it is sparse, quantized or empty of memory)"
    wanted = FLOATS if own.is_floating_point() else (own.dtype,)
    if given.dtype not in wanted:
        kind, own_kind = (str(dtype).removeprefix("torch.") for dtype in (given.dtype, own.dtype))
        return f"'{name}' is of type {kind} where {own_kind} is expected"
    if given.numel() == 0:
        return ""
    low, high = (float(value) for value in given.detach().aminmax())
    if not (abs(low) < float("inf") and abs(high) < float("inf")):  # false for NaN too
        return f"'{name}' holds numbers that are not finite"
    if own.is_floating_point() and max(-low, high) > LARGEST:
        return f"'{name}' holds numbers of size {max(-low, high):.3g}, above {LARGEST:g}"
    if low < 0 and (name.endswith("running_var") or not own.is_floating_point()):
        return f"'{name}' holds {low:g}, and is a {'variance' if own.is_floating_point() else 'count'}: never negative"
    return ""


def load_whole(path: Path, network: nn.Module, remedy: str) -> None:
    """Put the safetensors file's tensors into `network`, which must have exactly these.

    Raises WinnowError, ending in `remedy`, for a damaged file and for a tensor too many, lacking, misshapen or unsound.
    """
    weights = read_tensors(path, remedy)
    own = network.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise WinnowError(
            f"{path} does not fit the settings in its .json: '{wrong[0][:80]}' is {found.get(wrong[0], 'absent')} "
            f"where {wanted.get(wrong[0], 'nothing')} is expected ({len(wrong)} such tensors); {remedy}."
        )
    _refuse_unsound(path, weights, own, remedy)
    network.load_state_dict(weights)


def read_tensors(path: Path, remedy: str) -> dict[str, Tensor]:
    """The safetensors file's tensors. Raises WinnowError, ending in `remedy`, for a missing or a damaged one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise WinnowError(f"{path} is missing; {remedy}.") from None
    except (SafetensorError, ValueError, LookupError, AttributeError, MemoryError, RuntimeError) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise WinnowError(f"{path} is damaged ({problem}): {remedy}.") from None


def _refuse_unsound(path: Path, weights: Mapping[str, Tensor], own: Mapping[str, Tensor], remedy: str) -> None:
    for name, given in weights.items():
        if problem := unsound(name, given, own[name]):
            raise WinnowError(f"{path}: {problem}; {remedy}.")
