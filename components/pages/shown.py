"""A sample as every page shows it: the one place among the pages that knows what kind of data it is."""

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.modalities.image.mosaic import mosaic
from components.pages.data_uri import data_uri

if TYPE_CHECKING:
    from markupsafe import Markup

Pixels = npt.NDArray[np.uint8]
SMALL = 64  # pixels of a side; below, every pixel shows as a square


def shown(pixels: Pixels, caption: str) -> "Markup":
    """One sample `(C, H, W)` as a piece of HTML; `caption` stands for it where it cannot be seen."""
    return _image(pixels, caption, small=max(pixels.shape[1:]) < SMALL)


def shown_many(pixels: Pixels, caption: str) -> "Markup":
    """Samples `(M, C, H, W)` side by side as a piece of HTML under one caption."""
    return _image(mosaic(pixels[None]).transpose(2, 0, 1), caption, small=max(pixels.shape[2:]) < SMALL)


def stored_as(samples: Pixels) -> str:
    """In a few words, what each of the samples `(N, C, H, W)` is kept as."""
    channels, height, width = samples.shape[1:]
    return f"{width} × {height} pixels, {'gray' if channels == 1 else 'color'}"


def png(pixels: Pixels) -> bytes:
    """One `(C, H, W)` picture as a PNG file's content."""
    from PIL import Image

    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _image(pixels: Pixels, caption: str, *, small: bool) -> "Markup":
    from markupsafe import Markup

    pixelated = Markup(' class="pixelated"') if small else ""
    return Markup('<img{} src="{}" alt="{}">').format(pixelated, data_uri(png(pixels)), caption)
