"""Many small pictures on one sheet."""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

TILE = 96  # smallest side of a picture on the page; smaller pictures are enlarged a whole number of times
GAP = 6


def mosaic(pictures: Pixels) -> Pixels:
    """`(rows, columns, C, H, W)` to one `(height, width, 3)` picture on white, enlarged without smoothing."""
    rows, columns, _, height, width = pictures.shape
    scale = max(1, -(-TILE // max(height, width)))
    height, width = height * scale, width * scale
    page = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            tile = pictures[row, column].transpose(1, 2, 0).repeat(scale, 0).repeat(scale, 1)
            top, left = row * (height + GAP), column * (width + GAP)
            page[top : top + height, left : left + width] = tile  # one channel spreads over three
    return page
