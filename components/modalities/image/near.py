"""Pictures that are nearly the same: a perceptual hash to find candidates, and the thumbnails to confirm them."""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.generic]
MAX_DIFFERENCE = 1.5  # mean absolute difference of thumbnails in gray levels; such copies: 0.9; different digits: 6.6
MAX_SPAN = 8  # gray levels from the darkest to the brightest in each channel of a blank picture
MAX_SHARE = 0.05  # of the picture's own contrast (standard deviation), as flat pictures are alike without being copies
_SIDE = 32


def perceptual_hashes(pictures: list[Pixels]) -> Pixels:
    """`(B, 8)` uint8: the 64-bit DCT hash of each picture `(C, H, W)`, which survives resizing and re-encoding.

    The same bits as imagehash's `phash` (hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html), but a batch
    at once: which of the 8x8 lowest frequencies of a 32x32 gray thumbnail are above their median.
    """
    if not pictures:
        return np.empty((0, 8), np.uint8)
    thumbnails = np.stack([thumbnail(picture) for picture in pictures]).astype(np.float64)
    frequency, place = np.arange(8)[:, None], np.arange(_SIDE)[None, :]
    basis = 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))  # DCT-II, (8, 32)
    low = (basis @ thumbnails @ basis.T).reshape(len(pictures), -1)
    return np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)


def nearly_same(pictures: list[Pixels], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """`(P,)`: which `pairs` `(2, P)` of the pictures `(C, H, W)` have nearly the same thumbnails."""
    if not pairs.shape[1]:
        return np.empty(0, np.bool_)
    first, second = np.stack([thumbnail(picture) for picture in pictures])[pairs]
    return nearly_equal(first, second)


def is_blank(picture: Pixels) -> bool:
    """Whether a picture `(C, H, W)` is one color all over."""
    flat = picture.reshape(len(picture), -1)
    return bool((flat.max(1).astype(np.int16) - flat.min(1) <= MAX_SPAN).all())


def nearly_equal(first: Planes, second: Planes) -> npt.NDArray[np.bool_]:
    """`(P,)`: which gray planes `(P, n, n)` of 0 to 255 differ little, in levels and in their own contrast."""
    one, other = (planes.reshape(len(planes), -1).astype(np.float32) for planes in (first, second))
    difference, contrast = np.abs(one - other).mean(axis=1, dtype=np.float64), one.std(axis=1, dtype=np.float64)
    alike: npt.NDArray[np.bool_] = (difference <= MAX_DIFFERENCE) & (difference <= MAX_SHARE * contrast)
    return alike


def thumbnail(picture: Pixels, side: int = _SIDE) -> Pixels:
    """`(side, side)` gray of a picture `(C, H, W)`."""
    plane: Pixels = picture[0]
    if picture.shape == (1, side, side):
        return plane
    from PIL import Image

    gray = Image.fromarray(plane if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0)))
    return np.asarray(gray.convert("L").resize((side, side), Image.Resampling.LANCZOS))
