"""What of a picture's file does not reach the model, measured; and the sentence that says so with its cure."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.modalities.image.fitting import Preparation, is_deep, span_of

if TYPE_CHECKING:
    from PIL import Image

MIN_LEVELS = 64  # of 256; fewer show as steps
MAX_ASPECT = 2.0  # wider than any camera's 16:9, a crop throws away more than half
MAX_SHRINK = 16.0  # times; what is a sixteenth of the shorter side is a pixel then
MIN_CHROMA = 16.0  # mean difference of the color channels in levels; of a gray picture in color's clothes: 0
MIN_CONTRAST = 2.0  # standard deviation in levels; a picture below is one even field
_SAMPLE = 32  # pixels of each side that color is looked for in

LOSSES = {  # name -> what is said of so many pictures, and the cure
    "range": "use so little of their bits that less than 64 of 256 gray levels are left: ingest.modality.range: file "
    "or dataset",
    "deep_color": "use so little of 16 bits per color that fewer than 64 of 256 levels are left: save them with 8 bits",
    "crop": "have one side more than twice the other, and only the middle is kept: ingest.modality.fit: pad or stretch",
    "size": "are shrunk more than 16-fold, and what is small in them is gone: raise ingest.modality.image_size, or cut "
    "them up",
    "alpha": "show nothing once their transparent parts lie on white: lay them on another color first",
    "color": "are in color and become gray: ingest.modality.channels: 3, where color matters",
    "frames": "hold several frames, and only the first is read: save each as a file of its own, where they matter",
}


def lost(
    image: "Image.Image",
    pixels: npt.NDArray[np.uint8],
    how: Preparation,
    size: tuple[int, int],
    *,
    animated: bool,
    deep_color: bool,
) -> tuple[str, ...]:
    """Names of `LOSSES` that hold for the decoded `image` of `size` that became `pixels`."""
    short, long = min(size), max(size)
    found = {
        "range": is_deep(image) and how.span is not None and _levels(image, how.span) < MIN_LEVELS,
        "deep_color": deep_color and int(pixels.max()) - int(pixels.min()) < MIN_LEVELS,
        "crop": how.fit == "crop" and long > MAX_ASPECT * short,
        "size": (short if how.fit == "crop" else long) > MAX_SHRINK * how.image_size,
        "alpha": _is_clear(image) and float(pixels.std()) < MIN_CONTRAST and _has_shape(image),
        "color": how.channels == 1 and image.mode not in ("1", "L", "LA", "La") and _chroma(image) > MIN_CHROMA,
        "frames": animated,
    }
    return tuple(name for name, holds in found.items() if holds)


def _levels(image: "Image.Image", span: tuple[float, float]) -> float:
    """How many of the 256 levels lie between the picture's own lowest and highest."""
    low, high = span_of(image)
    return 255 * (high - low) / max(span[1] - span[0], 1e-12)


def _is_clear(image: "Image.Image") -> bool:
    return "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info


def _has_shape(image: "Image.Image") -> bool:
    """Whether transparency itself, or the color under it, shows something."""
    sample = np.asarray(image.resize((_SAMPLE, _SAMPLE), resample=0).convert("RGBA"))
    return bool((sample.reshape(-1, 4).std(axis=0) > MIN_CONTRAST).any())


def _chroma(image: "Image.Image") -> float:
    """Mean difference of the highest and lowest color channel of some pixels."""
    if is_deep(image):
        return 0.0
    sample = np.asarray(image.resize((_SAMPLE, _SAMPLE), resample=0).convert("RGB")).astype(np.int16)
    return float((sample.max(axis=2) - sample.min(axis=2)).mean())
