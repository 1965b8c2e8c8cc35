"""Bulk inference: vectors or class probabilities for rows of the sample store, batch by batch."""

import numpy as np
import numpy.typing as npt
import torch

from components.models.classifier import Classifier
from components.models.encoder_file import EncoderSpec, normalize
from components.models.encoders import Encoder
from components.training.precision import choose_device


def embed_all(
    encoder: Encoder,
    spec: EncoderSpec,
    samples: npt.NDArray[np.uint8],
    positions: npt.NDArray[np.int64] | None = None,
    *,
    batch_size: int = 512,
) -> npt.NDArray[np.float32]:
    """`(M, D)` float32 vectors of `samples[positions]` (all rows by default); only one batch is in memory.

    samples: `(N, C, S, S)` uint8, usually a memory map. The encoder is left in evaluation mode, on its device.
    """
    rows = np.arange(len(samples)) if positions is None else positions
    vectors = np.empty((len(rows), spec.dim), dtype=np.float32)
    device = choose_device()
    encoder.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = torch.from_numpy(np.asarray(samples[rows[start : start + batch_size]])).to(device)
            pictures = normalize(batch, spec.mean, spec.std).contiguous(memory_format=torch.channels_last)
            vectors[start : start + batch_size] = encoder(pictures).float().cpu().numpy()
    return vectors


def predict(
    classifier: Classifier,
    samples: npt.NDArray[np.uint8],
    positions: npt.NDArray[np.int64] | None = None,
    *,
    batch_size: int = 512,
) -> npt.NDArray[np.float32]:
    """`(M, K)` float32 class probabilities of `samples[positions]` (all rows by default), as `embed_all` walks them."""
    rows = np.arange(len(samples)) if positions is None else positions
    probabilities = np.empty((len(rows), len(classifier.spec.classes)), dtype=np.float32)
    device = choose_device()
    classifier.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = torch.from_numpy(np.asarray(samples[rows[start : start + batch_size]])).to(device)
            probabilities[start : start + batch_size] = classifier(batch).float().cpu().numpy()
    return probabilities
