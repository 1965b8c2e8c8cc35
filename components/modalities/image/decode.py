"""From a file's bytes to `(C, S, S)` pixels: Pillow only, formats named, nothing decoded before its size is known."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.datasets.records import Unreadable
from components.modalities.image.fitting import FULL, Preparation, fitted, is_deep, span_of
from components.modalities.image.formats import unread_format
from components.modalities.image.losses import lost

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 100_000_000  # of one picture, unless a setting says otherwise
MIN_SIDE = 8  # pixels; less is a bullet point or a scan line, not a picture
_ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, RuntimeError)
_BROKEN_PARTS = (struct.error, zlib.error, AttributeError, MemoryError)
_SUBFILE, _REDUCED = 254, 1  # of TIFF: a camera's raw file begins with a small preview of the picture


@dataclass(frozen=True, slots=True)
class Picture:
    """pixels: `(C, S, S)` uint8. width, height: upright, before resizing. mode: Pillow's, as found in the file.

    lost: what of the file is not in the pixels, see `losses.LOSSES`.
    """

    pixels: Pixels
    width: int
    height: int
    mode: str
    lost: tuple[str, ...] = ()


def decode(content: bytes | Pixels, how: Preparation, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a file's bytes, or take `(H, W)` or `(H, W, 3)` pixels, and prepare them as `how` says.

    The whole file is decoded, so that a cut one is found. EXIF rotation is applied; deep gray is scaled; transparency
    and palettes are laid on white; CMYK is converted; of an animation the first frame counts; color profiles are not
    applied. Then it is fitted, antialiased.
    Raises Unreadable with the reason.
    """
    from PIL import Image

    if not isinstance(content, bytes):
        image = Image.fromarray(content)
        return _prepared(image, how, image.size, image.mode)
    with _opened(content) as image:
        mode, size = image.mode, _checked_size(image, max_pixels)
        odd = {
            "animated": bool(getattr(image, "is_animated", False)),
            "deep_color": ";16" in str(getattr(image, "tile", "")),
        }
        image.draft(None, (2 * how.image_size, 2 * how.image_size))  # JPEG: at a half, quarter or eighth at once
        image.load()
        return _prepared(_upright(image), how, size, mode, **odd)


def measure_span(content: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[float, float] | None:
    """Lowest and highest value of a file's picture where it has more than eight bits, else None. Raises Unreadable."""
    with _opened(content) as image:
        if not is_deep(image):
            return None
        _checked_size(image, max_pixels)
        return span_of(image)


def common_span(contents: Iterable[bytes], max_pixels: int) -> tuple[float, float] | None:
    """Lowest and highest value of all files' pictures of more than eight bits; None where there are none."""
    spans = []
    for content in contents:
        with suppress(Unreadable):  # reading it says so
            spans.append(measure_span(content, max_pixels=max_pixels))
    deep = [span for span in spans if span is not None]
    return (min(low for low, _ in deep), max(high for _, high in deep)) if deep else None


def decoded_pixels(content: bytes, image_size: int) -> int:
    """How many pixels decoding will hold in memory, by the header; 0 where it is none."""
    try:
        with _opened(content) as image:
            image.draft(None, (2 * image_size, 2 * image_size))
            return image.width * image.height
    except Unreadable:
        return 0


@contextmanager
def _opened(content: bytes) -> Iterator["Image.Image"]:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own budget, checked below, stands in for Pillow's, which only warns
    if not content:
        raise Unreadable("the file is empty (zero bytes).", "no_picture")
    if sentence := unread_format(content):
        raise Unreadable(sentence, "unread_format")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.format == "TIFF" and image.getexif().get(_SUBFILE, 0) & _REDUCED:
                raise Unreadable("camera raw is a format that is not read: convert it to JPEG or PNG.", "unread_format")
            yield image
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("not a picture: the content is no JPEG, PNG, WebP, BMP or TIFF.", "no_picture") from None
    except (*_BROKEN, *_BROKEN_PARTS) as error:
        raise Unreadable(f"damaged: {str(error).rstrip('.') or type(error).__name__}.") from None


def _checked_size(image: "Image.Image", max_pixels: int) -> tuple[int, int]:
    """Upright width and height by the header alone."""
    width, height = image.size
    if width * height > max_pixels:
        raise Unreadable(
            f"{width}x{height} pixels are more than the {max_pixels:,} that ingest.modality.max_pixels allows."
        )
    return (height, width) if image.getexif().get(0x0112) in _ROTATED else (width, height)


def _upright(image: "Image.Image") -> "Image.Image":
    from PIL import ImageOps

    turned = image.getexif().get(0x0112, 1) != 1  # without that it would be copied
    return ImageOps.exif_transpose(image) if turned else image


def _prepared(
    image: "Image.Image",
    how: Preparation,
    size: tuple[int, int],
    mode: str,
    *,
    animated: bool = False,
    deep_color: bool = False,
) -> Picture:
    if min(size) < MIN_SIDE:
        raise Unreadable(f"{size[0]}x{size[1]} pixels: a side shorter than {MIN_SIDE} shows nothing.")
    if image.mode in ("I", "F") and how.span == FULL:
        raise Unreadable(
            f"32-bit pixels (mode {image.mode}) have no known range: set ingest.modality.range to file or dataset, "
            "or save it with 8 or 16 bits."
        )
    pixels = fitted(image, how)
    gone = lost(image, pixels, how, size, animated=animated, deep_color=deep_color and not is_deep(image))
    return Picture(pixels, *size, mode, gone)
