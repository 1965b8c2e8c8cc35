"""Bulk inference: vectors or class probabilities for rows of the sample store, batch by batch."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.core.device import laid_out
from components.core.files import sha256
from components.datasets.sample_store import Samples
from components.datasets.vectors import open_vectors
from components.modalities import Plain
from components.models.at_once import at_once
from components.models.classifier import Classifier
from components.models.encoders import Encoder
from components.training.precision import choose_device

Floats = npt.NDArray[np.float32]


def embed_all(
    encoder: Encoder,
    plain: Plain,
    samples: Samples,
    positions: npt.NDArray[np.int64] | None = None,
    *,
    batch_size: int | None = None,
) -> npt.NDArray[np.float32]:
    """`(M, D)` float32 vectors of `samples[positions]` (all rows by default); only one batch is in memory.

    samples: records `(N, *shape)`, usually a memory map; plain: what the encoder sees of them; batch_size: None takes
    fewer of large records. The encoder is left in evaluation mode, on its device.
    """
    batch_size = batch_size or at_once(encoder)
    rows = np.arange(len(samples)) if positions is None else positions
    vectors = np.empty((len(rows), encoder.dim), dtype=np.float32)
    device = choose_device()
    encoder.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = torch.from_numpy(np.asarray(samples[rows[start : start + batch_size]])).to(device)
            vectors[start : start + batch_size] = encoder(laid_out(plain(batch))).float().cpu().numpy()
    return vectors


@dataclass(frozen=True)
class Observed:
    """What a classifier says of `M` samples: probabilities `(M, K)`; features `(M, F)`, which its head sees, and draws
    `(T, M, K)`, both None unless asked for."""

    probabilities: Floats
    features: Floats | None
    draws: Floats | None


def predict(
    classifier: Classifier,
    samples: Samples,
    positions: npt.NDArray[np.int64] | None = None,
    *,
    vectors: Floats | None = None,
    batch_size: int | None = None,
) -> npt.NDArray[np.float32]:
    """`(M, K)` float32 class probabilities of `samples[positions]` (all rows by default), as `embed_all` walks them."""
    return observe(classifier, samples, positions, vectors=vectors, batch_size=batch_size).probabilities


def observe(
    classifier: Classifier,
    samples: Samples,
    positions: npt.NDArray[np.int64] | None = None,
    *,
    features: bool = False,
    kept: Floats | None = None,
    vectors: Floats | None = None,
    batch_size: int | None = None,
) -> Observed:
    """What `predict` gives, and in the same pass what the head sees and what it says of parts of that.

    kept: `(T, F)` factors of the features (see `dropout_masks`), a draw for each row; vectors: `(N, D)` of all samples
    where they are known (see `known_vectors`): then the encoder is not run.
    """
    batch_size = batch_size or at_once(classifier.encoder)
    rows = np.arange(len(samples)) if positions is None else positions
    count, classes = len(rows), len(classifier.spec.classes)
    probabilities = np.empty((count, classes), np.float32)
    seen = np.empty((count, classifier.spec.encoder.width), np.float32) if features else None
    draws = np.empty((len(kept), count, classes), np.float32) if kept is not None else None
    device = choose_device()
    masks = None if kept is None else torch.from_numpy(kept).to(device)
    classifier.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with torch.inference_mode():
        for start in range(0, count, batch_size):
            part = slice(start, start + batch_size)
            records = partial(_taken, samples, rows[part], device)
            if vectors is None:
                given = classifier.features(records())
            else:
                given = classifier.features_of(_taken(vectors, rows[part], device), records)
            probabilities[part] = classifier.probabilities(given).float().cpu().numpy()
            if seen is not None:
                seen[part] = given.float().cpu().numpy()
            if draws is not None and masks is not None:
                for draw, mask in zip(draws, masks, strict=True):
                    draw[part] = classifier.probabilities(given * mask).float().cpu().numpy()
    return Observed(probabilities, seen, draws)


def _taken(rows: Any, positions: npt.NDArray[np.int64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.asarray(rows[positions])).to(device)


def known_vectors(classifier: Classifier, embeddings: Path) -> Floats | None:
    """`(N, D)` what `embed` made, where these are what the classifier's encoder gives, so that nobody makes them again.

    None where the encoder was changed after that.
    """
    embedded = classifier.spec.embedded
    return open_vectors(embeddings) if embedded and embedded == sha256(embeddings) else None


def dropout_masks(count: int, features: int, dropout: float, generator: torch.Generator) -> Floats:
    """`(count, features)` of 0, with probability `dropout`, and 1 / (1 - dropout); one for all samples of a draw.

    So each row makes one whole model: Kirsch, van Amersfoort & Gal 2019, section 3.2, https://arxiv.org/abs/1906.08158
    """
    kept = torch.rand(count, features, generator=generator) >= dropout
    return np.asarray(kept.numpy() / (1 - dropout), np.float32)
