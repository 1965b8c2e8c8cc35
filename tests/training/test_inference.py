"""Bulk vectors: batching changes nothing, rows are the ones asked for."""

import numpy as np
import torch

from components.models.encoder_file import EncoderSpec, build_encoder, normalize
from components.training.inference import embed_all

SPEC = EncoderSpec(
    name="small_resnet", options={"width": 8}, channels=3, image_size=16, dim=32, mean=[0.4] * 3, std=[0.2] * 3
)


def test_vectors_are_the_encoders_whatever_the_batches() -> None:
    encoder = build_encoder(SPEC)
    samples = np.random.default_rng(0).integers(0, 256, (7, 3, 16, 16), dtype=np.uint8)
    whole = embed_all(encoder, SPEC, samples)
    parts = embed_all(encoder, SPEC, samples, np.array([6, 2]), batch_size=1)
    with torch.no_grad():
        plain = encoder.eval()(normalize(torch.from_numpy(samples), SPEC.mean, SPEC.std))
    np.testing.assert_allclose(whole, plain.numpy(), atol=1e-5)
    np.testing.assert_allclose(parts, whole[[6, 2]], atol=1e-5)
    assert whole.dtype == np.float32
