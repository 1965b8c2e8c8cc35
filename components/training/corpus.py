"""Samples, which of them, and how they are looked at: what everything that trains or walks over data is given."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import Samples, open_samples
from components.modalities import Statistics
from components.modalities.views import Views, read_views


@dataclass(frozen=True)
class Corpus:
    """samples: usually a memory map; rows: `(M,)` of them, repeats allowed; views: by the names methods ask for."""

    samples: Samples
    rows: npt.NDArray[np.int64]
    views: Views

    def by(self, statistics: Statistics) -> "Corpus":
        """The same samples, normalized as an encoder wants them."""
        return replace(self, views=self.views.by(statistics))


def open_corpus(manifest: Path, samples: Path, policy: Path) -> Corpus:
    """The training split of what ingest stored, looked at as augment says."""
    return Corpus(open_samples(samples), positions_of(read_manifest(manifest, ["split"]), "train"), read_views(policy))
