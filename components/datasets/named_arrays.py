"""Arrays with a name each in one file, for a later stage to show: no pickle, and the same arrays are the same bytes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write them in their order; there may be none."""
    named: dict[str, Any] = dict(arrays)
    np.savez(path, **named)


def read_arrays(path: Path) -> dict[str, Array]:
    """What `write_arrays` wrote, in the same order."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files}
