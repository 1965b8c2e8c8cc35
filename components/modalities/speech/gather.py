"""Training clips that are kept with the policies, so that others can be heard behind a clip."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from components.datasets.sample_store import Samples
from components.modalities import Array, Positions

MOST = 128


def gather(policies: Iterable[Any], samples: Samples, rows: Positions) -> Mapping[str, Array]:
    """`others` `(M, L)` samples of clips evenly out of the rows, and `lengths` `(M,)`; nothing where nobody mixes."""
    if not any(policy.mix for policy in policies) or not len(rows):
        return {}
    some = rows[np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(np.int64))]
    others = np.asarray(samples[some])
    places = np.arange(1, others.shape[1] + 1)
    lengths = np.where(others != 0, places, 0).max(1, initial=1).astype(np.int64)
    return {"lengths": lengths, "others": others}
