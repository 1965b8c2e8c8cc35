"""From a file's bytes to `(C, S, S)` pixels: Pillow only, formats named, nothing decoded before its size is known."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.core.errors import WinnowError

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 100_000_000
MIN_SIDE = 8  # pixels; less is a bullet point or a scan line, not a picture
_ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, RuntimeError)
_BROKEN_PARTS = (struct.error, zlib.error, AttributeError, MemoryError)


class Unreadable(WinnowError):  # noqa: N818 - said of a file, not of the program
    """Not a picture that can be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """pixels: `(C, S, S)` uint8. width, height: upright, before resizing. mode: Pillow's, as found in the file."""

    pixels: Pixels
    width: int
    height: int
    mode: str


def decode(content: bytes | Pixels, *, image_size: int, channels: int, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a file's bytes, or take `(H, W)` or `(H, W, 3)` pixels, and resize and crop to `image_size`.

    The whole file is decoded, so that a cut one is found. EXIF rotation is applied; 16-bit gray is scaled; transparency
    and palettes are laid on white; CMYK is converted; of an animation the first frame counts; color profiles are not
    applied. Then the shorter side becomes `image_size` (bicubic, antialiased) and the middle is kept.
    Raises Unreadable with the reason.
    """
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own budget, checked below, stands in for Pillow's, which only warns
    if not isinstance(content, bytes):
        image = Image.fromarray(content)
        return _fit(image, image_size, channels, image.size, image.mode)
    if not content:
        raise Unreadable("the file is empty (zero bytes).")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            mode, size = image.mode, _checked_size(image, max_pixels)
            image.draft(None, (2 * image_size, 2 * image_size))  # JPEG: decode at a half, quarter or eighth at once
            image.load()
            return _fit(_upright(image), image_size, channels, size, mode)
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("not a picture: the content is no JPEG, PNG, WebP, BMP or TIFF.") from None
    except (*_BROKEN, *_BROKEN_PARTS) as error:
        raise Unreadable(f"damaged: {str(error).rstrip('.') or type(error).__name__}.") from None


def _checked_size(image: "Image.Image", max_pixels: int) -> tuple[int, int]:
    """Upright width and height by the header alone."""
    width, height = image.size
    if width * height > max_pixels:
        raise Unreadable(f"{width}x{height} pixels are more than the {max_pixels:,} that ingest.max_pixels allows.")
    return (height, width) if image.getexif().get(0x0112) in _ROTATED else (width, height)


def _upright(image: "Image.Image") -> "Image.Image":
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _fit(image: "Image.Image", image_size: int, channels: int, size: tuple[int, int], mode: str) -> Picture:
    from PIL import Image

    if min(size) < MIN_SIDE:
        raise Unreadable(f"{size[0]}x{size[1]} pixels: a side shorter than {MIN_SIDE} shows nothing.")
    image = _to_eight_bits(image).convert("L" if channels == 1 else "RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    square = image.resize((image_size, image_size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    pixels = np.atleast_3d(np.asarray(square)).transpose(2, 0, 1)
    return Picture(np.ascontiguousarray(pixels), *size, mode)


def _to_eight_bits(image: "Image.Image") -> "Image.Image":
    """Any of Pillow's modes as opaque 8-bit gray or color."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise Unreadable(f"32-bit pixels (mode {image.mode}) have no known range: save it with 8 or 16 bits.")
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")
