"""Pictures as tests make them, and as a store holds them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._pictures import given, modality_of, spec_of, views_of
from components.datasets import manifest
from components.datasets.sample_store import About, Store, write_samples
from components.modalities.image import Image

__all__ = ["given", "modality_of", "save_pictures", "spec_of", "store_of", "views_of", "write_manifest"]


def store_of(pictures: npt.NDArray[np.uint8]) -> Store:
    """`(N, C, S, S)` as a store."""
    modality = modality_of(pictures.shape[1], max(8, pictures.shape[2]))
    return Store(About(modality=modality.choice, dtype="uint8", shape=pictures.shape[1:]), pictures)


def save_pictures(path: Path, pictures: npt.NDArray[np.uint8]) -> None:
    """Write them as ingest does."""
    write_samples(path, store_of(pictures), np.arange(len(pictures)))


def write_manifest(path: Path, frame: pd.DataFrame) -> None:
    """With the columns that pictures have."""
    manifest.write_manifest(path, frame, Image.facts)
