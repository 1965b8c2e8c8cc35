"""All randomness: from a seed and names, never from the clock, so that equal settings give equal bytes."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

_GOLDEN, _MIX1, _MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed for one purpose: sha256 of the seed and the purpose's names."""
    text = "\0".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *names: object) -> np.random.Generator:
    """A numpy generator of its own for one purpose."""
    return np.random.default_rng(derive(seed, *names))


def torch_generator(seed: int, *names: object) -> "torch.Generator":
    """A CPU torch generator of its own for one purpose."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))


def uniform(seed: int, samples: npt.NDArray[np.int64], draws: int) -> npt.NDArray[np.float32]:
    """`(len(samples), draws)` uniform numbers in [0, 1), a row a function of (seed, sample number) alone.

    So an augmentation does not depend on the batch, the worker or the order in which a sample is met.
    SplitMix64 (Steele, Lea & Flood 2014, https://doi.org/10.1145/2714064.2660195) as a counter-based generator.
    """
    bits = _bits(seed, samples, draws) >> np.uint64(40)  # 24 bits: every one of them fits a float32
    return bits.astype(np.float32) * np.float32(2.0**-24)


def lots(seed: int, samples: npt.NDArray[np.int64], draws: int) -> npt.NDArray[np.uint16]:
    """As `uniform`, whole numbers from 0 to 65,535, for a quarter of the work. The first ones stay for more draws."""
    bits = _bits(seed, samples, -(-draws // 4)).astype("<u8", copy=False)
    return np.frombuffer(bits, "<u2").reshape(len(samples), -1)[:, :draws]


def deterministic(threads: int) -> None:
    """Make torch repeatable in this process: pinned threads and deterministic algorithms."""
    import os

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # 5 % of training, to guard code that reads unset memory
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.manual_seed(0)  # for libraries that draw on their own; ours take a generator


def _bits(seed: int, samples: npt.NDArray[np.int64], draws: int) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        stream = _splitmix(np.uint64(seed) + _GOLDEN * samples.astype(np.uint64))
        counters = stream[:, None] + _GOLDEN * np.arange(1, draws + 1, dtype=np.uint64)[None, :]
        return _splitmix(counters)


def _splitmix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = (state ^ (state >> np.uint64(30))) * _MIX1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
