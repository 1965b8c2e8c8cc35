"""What people are asked about in this project: its samples, its classes, and the ledger their answers go into."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from components.core.config import read_params
from components.core.errors import WinnowError
from components.core.stage_settings import stage_settings
from components.datasets.ledger import in_force, read_ledger
from components.datasets.manifest import read_manifest
from components.datasets.oracle import read_classes
from components.datasets.revealed import PLACE, read_revealed
from pipelines.labeling.places import LEDGER, MANIFEST, ORACLE


@dataclass(frozen=True)
class Project:
    """samples: `id`, `path`, `split`, `sha256` in the manifest's order; classes: sorted names, at least two."""

    samples: pd.DataFrame
    classes: list[str]

    def of_split(self, split: str) -> frozenset[str]:
        """The ids of `train` or `test`."""
        return frozenset(self.samples.loc[self.samples["split"] == split, "id"])


def open_project() -> Project:
    """Raises WinnowError where nothing was ingested yet, or nobody has said what classes there are."""
    if not MANIFEST.is_file():
        raise WinnowError(f"{MANIFEST} is missing: run `winnow repro` first, which stops where it wants labels.")
    classes = meant_classes() or sorted(set(in_force(read_ledger(LEDGER))["label"]) if LEDGER.is_file() else [])
    if len(classes) < 2:
        raise WinnowError(
            "nobody has said what classes there are to choose from: list them in params.yaml, such as "
            "label.classes: [cat, dog]."
        )
    return Project(read_manifest(MANIFEST, ["id", "path", "split", "sha256"]), classes)


def meant_classes() -> list[str]:
    """The classes that label.classes lists or the source knows, and those it revealed once, sorted; or none."""
    setting = stage_settings("label", read_params()).classes
    known = read_classes(ORACLE) if ORACLE.is_file() else []
    meant = {*(setting or known)}
    return sorted({*meant, *read_revealed(Path(PLACE)).values()}) if meant else []
