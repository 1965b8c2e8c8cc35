"""The stage label on the small world, with whatever settings a test asks for."""

from typing import Any

from small_world import SmallWorld

from components.datasets.labels import Labels, read_labels
from components.stages import label


def run(world: SmallWorld, **settings: Any) -> tuple[dict[str, float], Labels]:
    inputs = (
        "manifest.parquet",
        "oracle.parquet",
        "ledger.csv",
        "rules.csv",
        "samples.npy",
        "embeddings.npy",
        "quarantine.parquet",
        "revealed.csv",
    )
    paths = world.paths(*inputs, "synthetic", "labels.parquet", "synthetic_labels.parquet")
    paths |= world.paths("annotators.csv", "revealed.csv", "rule_labels.parquet", "rule_figures.csv")
    metrics = label.run(params=label.Params(**settings), **paths)
    return metrics, read_labels(paths["labels"])
