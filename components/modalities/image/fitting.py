"""From a decoded picture of any mode and size to eight bits and `(C, S, S)`; and what of it gets lost on the way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
FULL = (0.0, 65535.0)  # of 16 bits
DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # more than eight bits of gray
_CLEAR = ("LA", "PA", "La", "RGBA", "RGBa")
_BIG = 2**24  # pixels; more are made smaller strip by strip, so that no second picture of that size is in memory
_OVERSIZE = 4  # times the wanted side that remain then
_LOOKED_AT = 2**20  # pixels of a deep picture that its range is found by
_OUTLIERS = 0.1  # percent of a deep picture's pixels at each end that do not set its range: dead pixels of a camera


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a picture becomes what a model reads; the same in training and afterwards.

    fit: `crop` keeps the middle square, `pad` lays the whole on black, `stretch` squeezes the longer side; span: the
    values that become black and white in pictures of more than eight bits, None: each picture's own lowest and highest;
    interpolation: how it gets to its size, antialiased.
    """

    image_size: int
    channels: int
    fit: Literal["crop", "pad", "stretch"] = "crop"
    span: tuple[float, float] | None = FULL
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"


def is_deep(image: "Image.Image") -> bool:
    """Whether it has more than eight bits of gray."""
    return image.mode in DEEP


def span_of(image: "Image.Image") -> tuple[float, float]:
    """Lowest and highest value of a deep picture, but for the few outliers at both ends; of a large one, every nth."""
    step = max(1, round((image.width * image.height / _LOOKED_AT) ** 0.5))
    values = np.asarray(image)[::step, ::step].astype(np.float64)  # of float32 the differences may be too large
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 0.0
    low, high = np.percentile(values, [_OUTLIERS, 100 - _OUTLIERS])
    return float(low), float(high)


def fitted(image: "Image.Image", how: Preparation) -> Pixels:
    """`(C, S, S)` uint8."""
    from PIL import Image

    mode = "L" if how.channels == 1 else "RGB"
    span = (how.span or span_of(image)) if is_deep(image) else (0.0, 0.0)
    flat = _opaque(image, mode, span) if image.width * image.height <= _BIG else _smaller(image, mode, span, how)
    size = (how.image_size, how.image_size)
    resample = Image.Resampling[how.interpolation.upper()]
    if how.fit == "pad":
        scale = how.image_size / max(flat.size)
        inner = (max(1, round(flat.width * scale)), max(1, round(flat.height * scale)))
        square = Image.new(mode, size)
        place = ((how.image_size - inner[0]) // 2, (how.image_size - inner[1]) // 2)
        square.paste(flat.resize(inner, resample), place)
    else:
        square = flat.resize(size, resample, box=_middle(flat.size) if how.fit == "crop" else None)
    return np.ascontiguousarray(np.atleast_3d(np.asarray(square)).transpose(2, 0, 1))


def _middle(size: tuple[int, int]) -> tuple[float, float, float, float]:
    side = min(size)
    left, top = (size[0] - side) / 2, (size[1] - side) / 2
    return (left, top, left + side, top + side)


def _opaque(image: "Image.Image", mode: str, span: tuple[float, float]) -> "Image.Image":
    """Any of Pillow's modes as opaque 8-bit gray or color."""
    from PIL import Image

    if is_deep(image):
        image = Image.fromarray(_eight_bits(np.asarray(image), span))
    elif image.mode in _CLEAR or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return image.convert(mode)


def _eight_bits(values: npt.NDArray[np.generic], span: tuple[float, float]) -> Pixels:
    if span == FULL and values.dtype.kind in "ui" and values.dtype.itemsize == 2:
        table = ((np.arange(65536, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        return np.asarray(table[values.astype(np.uint16, copy=False)])
    low, high = span
    finite = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
    with np.errstate(over="ignore"):  # what is beyond all numbers is beyond white
        scaled = (finite - low) * (255 / max(high - low, 1e-12))
    return np.asarray(np.rint(np.clip(scaled, 0, 255)), np.uint8)


def _smaller(image: "Image.Image", mode: str, span: tuple[float, float], how: Preparation) -> "Image.Image":
    """The picture at a whole fraction of its size, opaque: strip by strip, each of whole rows of the result."""
    from PIL import Image

    factor = max(1, min(image.size) // (_OVERSIZE * how.image_size))
    rows = factor * max(1, _BIG // 8 // (image.width * factor))
    whole = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        whole.paste(_opaque(strip, mode, span).reduce(factor), (0, top // factor))
    return whole
