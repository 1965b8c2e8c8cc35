"""By how much two files of the same name differ: numbers by the largest difference, all else by bytes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.floating]]


def how_far(then: Path, now: Path) -> str:
    """In words, for files of arrays (`.npy`, `.safetensors`) and any other; `now` has the suffix that tells."""
    if now.suffix in (".npy", ".safetensors"):
        old, new = _arrays(then, now.suffix), _arrays(now, now.suffix)
        if {name: one.shape for name, one in old.items()} != {name: one.shape for name, one in new.items()}:
            return "arrays of other names or shapes"
        largest = max((float(np.abs(old[name] - new[name]).max(initial=0)) for name in old), default=0.0)
        return f"numbers differ by at most {largest:.3g}"
    one, other = then.read_bytes(), now.read_bytes()
    if len(one) != len(other):
        return f"{len(one):,} bytes then, {len(other):,} now"
    count = sum(a != b for a, b in zip(one, other, strict=True))
    return f"{count:,} of {len(one):,} bytes differ"


def _arrays(path: Path, suffix: str) -> Arrays:
    if suffix == ".npy":
        return {"": np.load(path, allow_pickle=False).astype(np.float64)}
    from safetensors.numpy import load

    return {name: one.astype(np.float64) for name, one in load(path.read_bytes()).items()}
