"""Bulk vectors: batching changes nothing, rows are the ones asked for."""

import numpy as np
import torch

from components.models.classifier import Classifier, ClassifierSpec
from components.models.encoder_file import build_encoder
from components.training.inference import dropout_masks, embed_all, observe, predict
from tests.pictures import spec_of

SPEC = spec_of(
    name="small_resnet", options={"width": 8}, channels=3, image_size=16, dim=32, mean=[0.4] * 3, std=[0.2] * 3
)


def test_vectors_are_the_encoders_whatever_the_batches() -> None:
    encoder = build_encoder(SPEC)
    samples = np.random.default_rng(0).integers(0, 256, (7, 3, 16, 16), dtype=np.uint8)
    whole = embed_all(encoder, SPEC.inputs.plain, samples)
    parts = embed_all(encoder, SPEC.inputs.plain, samples, np.array([6, 2]), batch_size=1)
    with torch.no_grad():
        plain = encoder.eval()(SPEC.inputs.plain(torch.from_numpy(samples)))
    np.testing.assert_allclose(whole, plain.numpy(), atol=1e-5)
    np.testing.assert_allclose(parts, whole[[6, 2]], atol=1e-5)
    assert whole.dtype == np.float32


def test_one_pass_gives_what_the_head_sees_and_says_and_what_it_says_of_parts() -> None:
    spec = ClassifierSpec(encoder=SPEC, classes=["a", "b"], temperature=2.0, method="full", dropout=0.5)
    classifier = Classifier(build_encoder(SPEC), torch.nn.Linear(32, 2), spec)
    samples = np.random.default_rng(0).integers(0, 256, (7, 3, 16, 16), dtype=np.uint8)
    whole = np.ones((1, 32), np.float32)
    kept = np.concatenate([whole, dropout_masks(2, 32, 0.5, torch.Generator().manual_seed(0))])
    seen = observe(classifier, samples, np.array([6, 2, 0]), features=True, kept=kept, batch_size=2)
    assert seen.features is not None
    assert seen.draws is not None
    np.testing.assert_array_equal(seen.probabilities, predict(classifier, samples, np.array([6, 2, 0]), batch_size=2))
    np.testing.assert_array_equal(seen.draws[0], seen.probabilities)
    np.testing.assert_allclose(
        seen.features, embed_all(classifier.encoder, SPEC.inputs.plain, samples)[[6, 2, 0]], atol=1e-5
    )
    for draw, mask in zip(seen.draws, kept, strict=True):
        expected = (classifier.head(torch.from_numpy(seen.features * mask)) / 2).softmax(1).detach().numpy()
        np.testing.assert_allclose(draw, expected, atol=1e-5)


def test_a_mask_leaves_out_its_share_and_keeps_the_mean() -> None:
    masks = dropout_masks(400, 100, 0.25, torch.Generator().manual_seed(0))
    assert set(np.unique(masks)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((masks == 0).mean() - 0.25) < 0.01
    assert abs(masks.mean() - 1) < 0.02
