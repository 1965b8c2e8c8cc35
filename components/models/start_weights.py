"""Weights to start from: a file's tensors fitted to an encoder by name and shape, and what did not fit, said aloud.

A file is one of ours (an encoder, or the encoder of a classifier), or a state dict as torchvision or timm names it.
"""

import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from components.core.errors import WinnowError
from components.models.encoders import Encoder
from components.models.library_names import from_library
from components.models.sound_tensors import unsound

WHERE = "pretrain.weights"
LEAST = 0.5  # of the encoder's numbers, or the file is of another network
PREFIXES = ("", "encoder.", "module.", "backbone.")  # our classifiers, data-parallel wrappers, other people's
WRAPPED = ("state_dict", "model")  # keys under which checkpoints hold the weights
MOST_NAMED = 3


@dataclass(frozen=True)
class Start:
    """tensors: what fits, by the encoder's names; said: sentences for the person who gave the file."""

    tensors: dict[str, Tensor]
    said: list[str]


def load_start(path: Path, encoder: Encoder) -> None:
    """Put what fits into `encoder`. Raises WinnowError as `read_start` does."""
    encoder.load_state_dict(read_start(path, encoder).tensors, strict=False)


def read_start(path: Path, encoder: Encoder) -> Start:
    """Fit the file's tensors to `encoder`, which may be on the meta device.

    Raises WinnowError for a file that is missing, damaged, of no known kind or not finite, and where less than half of
    the encoder's numbers would come from it.
    """
    found = _read(path)
    wanted = encoder.state_dict()
    first = next((f"{name}.weight" for name, layer in encoder.named_modules() if isinstance(layer, nn.Conv2d)), "")
    readings = [
        named
        for prefix in PREFIXES
        for stripped in [{key[len(prefix) :]: value for key, value in found.items() if key.startswith(prefix)}]
        for named in (stripped, from_library(encoder, stripped))
    ]
    best = max(readings, key=lambda named: _numbers(_fitted(named, wanted, first)))
    tensors = _fitted(best, wanted, first)
    if not tensors and path.suffix != ".safetensors" and (ordered := in_order(found, wanted)):  # these keep no order
        best = tensors = ordered
        by_order = f"warning: its names are another library's ({_some(found)}): matched by order, kind and shape, all."
    else:
        by_order = ""
    share = _numbers(tensors) / _numbers(wanted)
    if share < LEAST:
        raise WinnowError(
            f"{WHERE} {path.name} fits {share:.0%} of the encoder{_misfits(best, wanted, tensors)}; the file holds "
            f"{_some(found)}: choose in pretrain.encoder the network that it was made for, or leave pretrain.weights "
            "empty."
        )
    for name, value in tensors.items():
        if problem := unsound(name, value, wanted[name]):
            raise WinnowError(f"{WHERE} {path.name}: {problem}; give another file.")
    said = _said(path, best, wanted, tensors, first, len(found))
    return Start(tensors, [*said[:1], by_order, *said[1:]] if by_order else said)


def in_order(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors by the encoder's names where they are the same network's under other names, else nothing.

    They are where the file begins with as many tensors as the encoder has, each in its place of the same shape and with
    a name that ends alike (weight, bias, running_mean, ...); a classifier may follow.
    """
    pairs = list(zip(wanted.items(), found.items(), strict=False))
    if len(pairs) < len(wanted) or any(
        own.shape != other.shape or name.rpartition(".")[2] != there.rpartition(".")[2]
        for (name, own), (there, other) in pairs
    ):
        return {}
    return {name: other for (name, _), (_, other) in pairs}


def for_channels(weight: Tensor, channels: int) -> Tensor:
    """A convolution's `(O, I, h, w)` weights for pictures of so many channels: the sum over inputs, shared evenly.

    A picture whose channels are all alike gets the same answer from both.
    """
    return weight.sum(1, keepdim=True).expand(-1, channels, -1, -1) / channels


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    if not path.is_file():
        raise WinnowError(f"{WHERE} {path} is not there: give a file of weights, or leave it empty.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if path.suffix in (".pth", ".pt"):
            return _loaded(path)
    except Exception as error:  # whatever a damaged or hostile file brings their readers to
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WinnowError(
            f"{WHERE} {path.name} cannot be read as tensors alone ({why}): give a whole file that holds nothing else, "
            "best a .safetensors."
        ) from None
    raise WinnowError(f"{WHERE} {path.name} is of no kind that is read: give a .safetensors or .pth file.")


def _loaded(path: Path) -> dict[str, Tensor]:
    """Tensors by name, no code of the file's run."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as members:  # torch compresses nothing: what does may unpack to any size
            if sum(member.file_size for member in members.infolist()) > path.stat().st_size:
                raise ValueError("it is compressed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about old kinds of files
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    for key in WRAPPED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise ValueError("it holds no names")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _fitted(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], first: str) -> dict[str, Tensor]:
    tensors = {name: found[name] for name, own in wanted.items() if name in found and found[name].shape == own.shape}
    if first in found and first not in tensors and _differ_in_channels(found[first], wanted[first]):
        tensors[first] = for_channels(found[first], wanted[first].shape[1])
    return tensors


def _some(found: Mapping[str, Tensor]) -> str:
    """The first names that a file holds."""
    names = list(found)
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _differ_in_channels(one: Tensor, other: Tensor) -> bool:
    return one.dim() == other.dim() == 4 and (one.shape[0], one.shape[2:]) == (other.shape[0], other.shape[2:])


def _numbers(tensors: Mapping[str, Tensor]) -> int:
    return sum(value.numel() for value in tensors.values())


def _said(
    path: Path,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    tensors: Mapping[str, Tensor],
    first: str,
    held: int,
) -> list[str]:
    said = [f"starts from {path.name}: {len(tensors)} of the encoder's {len(wanted)} tensors are in it."]
    if first in tensors and found[first].shape != wanted[first].shape:
        there, here = found[first].shape[1], wanted[first].shape[1]
        said.append(
            f"warning: pictures have {here} channels, not {there}: the first convolution's were summed and shared."
        )
    if len(tensors) < len(wanted):
        said.append(f"warning: these keep their random start{_misfits(found, wanted, tensors)}.")
    if held > len(tensors):
        said.append(f"{held - len(tensors)} more tensors of the file, such as a classifier's, are not used.")
    return said


def _misfits(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    """` (name: its shape in the file, its shape here; ...)` of what does not fit."""
    names = [name for name in wanted if name not in tensors]
    parts = [
        f"{name}: {list(found[name].shape) if name in found else 'absent'}, here {list(wanted[name].shape)}"
        for name in names[:MOST_NAMED]
    ]
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return f" ({'; '.join([*parts, *more])})" if parts else ""
