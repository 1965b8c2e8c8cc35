"""What a simple baseline sees of pictures: a few large pixels, and how often each color is there."""

import numpy as np
import pytest

from components.modalities.image import Image
from components.modalities.image.simple import simple_features


@pytest.mark.parametrize(("channels", "name", "bins"), [(1, "gray histogram", 32), (3, "color histogram", 512)])
def test_a_histogram_counts_each_color_and_knows_no_place(channels: int, name: str, bins: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, channels, 32, 32), dtype=np.uint8)
    found = simple_features(pictures)[name]
    assert found.shape == (3, bins)
    assert np.square(found).sum(axis=1) == pytest.approx(np.ones(3))  # roots of shares
    assert np.array_equal(found, simple_features(pictures[..., ::-1].copy())[name])


def test_one_color_is_one_bin() -> None:
    picture = np.zeros((1, 3, 32, 32), np.uint8)
    picture[:, 0], picture[:, 2] = 255, 40
    found = simple_features(picture)["color histogram"][0]
    assert np.flatnonzero(found).tolist() == [7 * 64 + 0 * 8 + 1]


def test_large_pixels_are_means_of_parts_at_any_size() -> None:
    picture = np.zeros((1, 1, 224, 224), np.uint8)
    picture[..., :112] = 255
    found = simple_features(picture)["small pixels"].reshape(16, 16)
    assert found == pytest.approx(np.tile(np.repeat([1.0, 0.0], 8), (16, 1)))
    assert simple_features(picture[..., :8, :8])["small pixels"].shape == (1, 64)


def test_the_kind_of_data_hands_them_out() -> None:
    pictures = np.zeros((2, 1, 16, 16), np.uint8)
    assert list(Image(Image.Config()).simple_features(pictures)) == ["small pixels", "gray histogram"]
