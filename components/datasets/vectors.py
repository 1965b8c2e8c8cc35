"""The vectors of all samples, read by memory map."""

from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError


def open_vectors(path: Path) -> npt.NDArray[np.float32]:
    """`(N, D)` float32, read-only memory map in the manifest's row order. Raises WinnowError for a damaged file."""
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise WinnowError(f"{path} is damaged ({error}): run `dvc repro --force embed` to make it again.") from None
    return cast(npt.NDArray[np.float32], vectors)
