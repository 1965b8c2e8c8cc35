"""Near-duplicates: copies are found, different pictures are not, and the hash is imagehash's."""

import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from components.datasets.near_duplicates import MAX_DISTANCE, _candidates, near_duplicate_groups
from components.datasets.sources.digits import Digits
from components.modalities.image.decode import decode
from components.modalities.image.fitting import Preparation
from components.modalities.image.near import nearly_same, perceptual_hashes
from tests.pictures import store_of


def photo(number, side=160):
    """Smooth structure, like a photo: few strong low frequencies."""
    coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def stored(image, size=64, quality=95):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return decode(file.getvalue(), Preparation(size, 3)).pixels


def groups_of(pictures):
    return near_duplicate_groups(
        perceptual_hashes(pictures), store_of(np.stack(pictures)), np.arange(len(pictures)), nearly_same
    )


@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 48, 48), (3, 96, 96)])
def test_the_hash_agrees_with_imagehash(shape):
    pictures = list(np.random.default_rng(0).integers(0, 256, (20, *shape), np.uint8))
    ours = np.unpackbits(perceptual_hashes(pictures), axis=1)
    for bits, picture in zip(ours, pictures, strict=True):
        image = Image.fromarray(picture[0] if shape[0] == 1 else picture.transpose(1, 2, 0))
        assert np.array_equal(bits.reshape(8, 8), imagehash.phash(image).hash)


def test_resized_and_re_encoded_copies_are_one_group():
    pictures = [stored(photo(number)) for number in range(6)]
    copies = [stored(photo(number).resize((100, 100)), quality=70) for number in range(6)]
    groups = groups_of([*pictures, *copies])
    assert np.array_equal(groups[:6], groups[6:])
    assert len(np.unique(groups)) == 6


def test_different_handwritten_digits_are_never_merged():
    items = Digits(Digits.Config()).items()
    pictures = [decode(item.content, Preparation(32, 1)).pixels for item in items]
    assert len(np.unique(groups_of(pictures))) == len(pictures) == 1797


def test_flat_pictures_of_other_brightness_are_not_copies():
    noise = np.random.default_rng(1).integers(0, 3, (4, 1, 32, 32))
    assert len(np.unique(groups_of(list((100 + noise).astype(np.uint8))))) == 4


def test_the_index_finds_every_pair_that_brute_force_finds():
    generator = np.random.default_rng(2)
    centers = generator.integers(0, 256, (40, 8), np.uint8)
    flips = np.packbits(generator.random((400, 64)) < 0.04, axis=1)
    hashes = np.repeat(centers, 10, axis=0) ^ flips
    bits = np.unpackbits(hashes, axis=1).astype(int)
    distance = np.abs(bits[:, None] - bits[None]).sum(axis=2)
    expected = {(i, j) for i, j in np.argwhere(distance <= MAX_DISTANCE).tolist() if i < j}
    found = {tuple(pair) for pairs in _candidates(hashes) for pair in pairs.T.tolist()}
    assert expected
    assert found == expected
