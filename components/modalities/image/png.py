"""Pictures as PNG files, and as parts of a page."""

import base64
import io

import numpy as np
import numpy.typing as npt


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """One `(C, H, W)` picture as a PNG file's content."""
    from PIL import Image

    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def data_uri(content: bytes) -> str:
    """A PNG file's content as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
