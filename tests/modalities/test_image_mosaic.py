"""Pictures for people: normalized values become the pixels they were made of, and a sheet holds them unsmoothed."""

import numpy as np
import torch

from components.modalities.image.augment import Augment
from components.modalities.image.policy import Policy
from components.modalities.image.restore import pixels_of
from components.modalities.sheet import GAP, TILE, mosaic


def test_normalizing_and_back_gives_the_same_pixels() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8), dtype=np.uint8)
    mean, std = [0.2, 0.5, 0.7], [0.1, 0.25, 0.3]
    views = Augment(Policy(), mean, std)(torch.from_numpy(pictures), np.arange(4), 0)
    np.testing.assert_array_equal(pixels_of(views, mean, std), pictures)


def test_values_out_of_range_become_black_and_white() -> None:
    assert pixels_of(torch.tensor([-9.0, 9.0]).view(2, 1, 1, 1), [0.5], [0.25]).ravel().tolist() == [0, 255]


def test_a_sheet_has_each_picture_in_its_place_enlarged_a_whole_number_of_times() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (2, 3, 1, 8, 8), dtype=np.uint8)
    sheet = mosaic(pictures)
    assert sheet.shape == (2 * TILE + GAP, 3 * TILE + 2 * GAP, 3)
    second = sheet[TILE + GAP :, TILE + GAP : 2 * TILE + GAP]
    np.testing.assert_array_equal(second[:: TILE // 8, :: TILE // 8, 0], pictures[1, 1, 0])
    assert (sheet[TILE : TILE + GAP] == 255).all()
