"""Labeled samples that were made, laid beside those of the store, so that fine-tuning meets both alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from components.core.errors import WinnowError
from components.datasets.records import Unreadable
from components.datasets.sample_store import Extended
from components.datasets.synthetic import read_synthetic
from components.modalities import Array, Modality
from components.models.encoder_file import load_encoder
from components.training.adapt import Examples, Material
from components.training.inference import embed_all


def add_made_samples(material: Material, synthetic_labels: Path) -> tuple[Material, Examples]:
    """The material with the made samples as last rows of its corpus, and these rows with their labels.

    Raises WinnowError where one cannot be read.
    """
    ids, targets, contents = read_synthetic(synthetic_labels)
    corpus = material.corpus
    last = np.arange(len(corpus.samples), len(corpus.samples) + len(ids))
    examples = Examples(last, targets, np.ones(len(ids), np.float32), np.ones(len(ids), np.int64))
    if not ids:
        return material, examples
    encoder, spec = load_encoder(material.encoder)
    records = np.stack([_read(corpus.views.modality, *one) for one in zip(ids, contents, strict=True)])
    vectors = np.concatenate([material.vectors, embed_all(encoder, spec.inputs.plain, records)])
    more = replace(corpus, samples=Extended(corpus.samples, records), rows=np.concatenate([corpus.rows, last]))
    return replace(material, corpus=more, vectors=vectors), examples


def _read(modality: Modality, identity: str, content: bytes) -> Array:
    try:
        return modality.read(content).values
    except Unreadable as error:
        raise WinnowError(
            f"made sample {identity}: {error} Withdraw its label by a new row of the ledger with an empty label."
        ) from None
