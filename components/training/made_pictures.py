"""Labeled pictures that were made, laid beside those of the store, so that fine-tuning meets both alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from components.core.errors import WinnowError
from components.datasets.sample_store import Extended, Pixels
from components.datasets.synthetic import read_synthetic
from components.modalities.image.decode import Unreadable, decode
from components.modalities.image.fitting import Preparation
from components.models.encoder_file import load_encoder
from components.training.adapt import Examples, Material
from components.training.inference import embed_all


def add_made_pictures(material: Material, store: Pixels, synthetic_labels: Path) -> tuple[Material, Examples]:
    """The material with the made pictures as last positions of its pool, and these positions with their labels.

    Raises WinnowError where a picture cannot be read.
    """
    ids, targets, contents = read_synthetic(synthetic_labels)
    last = np.arange(len(store), len(store) + len(ids))
    examples = Examples(last, targets, np.ones(len(ids), np.float32), np.ones(len(ids), np.int64))
    if not ids:
        return material, examples
    encoder, spec = load_encoder(material.encoder)
    pictures = np.stack([_decoded(*one, *store.shape[1:3]) for one in zip(ids, contents, strict=True)])
    vectors = np.concatenate([material.vectors, embed_all(encoder, spec, pictures)])
    pool = np.concatenate([material.pool, last])
    return replace(material, samples=Extended(store, pictures), vectors=vectors, pool=pool), examples


def _decoded(identity: str, content: bytes, channels: int, image_size: int) -> Pixels:
    try:
        return decode(content, Preparation(image_size, channels)).pixels
    except Unreadable as error:
        raise WinnowError(
            f"made picture {identity}: {error} Withdraw its label by a new row of the ledger with an empty label."
        ) from None
