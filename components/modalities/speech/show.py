"""A clip for people: its wave drawn, and a player that holds the sound, all inside the page."""

import base64
import io
from html import escape

import numpy as np
import numpy.typing as npt

from components.modalities import Array, Pixels

WIDTH, HEIGHT = 240, 48  # of the drawing
SHOWN = 15.0  # seconds that are played where a clip is not asked for as a whole
TILE = 32  # pixels of a side of what stands on the map


def wav(record: Array, rate: int) -> bytes:
    """Records `(L,)` int16 as a WAV file."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(record, np.int16), rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def player(record: Array, rate: int, caption: str, seconds: float | None = SHOWN) -> str:
    """HTML: the wave, and below it what plays it; caption: what is said to those who do not see it."""
    said = escape(caption, quote=True)
    length = len(record) / rate
    kept = record if seconds is None else record[: round(seconds * rate)]
    more = "" if len(kept) == len(record) else f"<small>the first {seconds:g} of {length:.0f} s</small>"
    sound = base64.b64encode(wav(kept, rate)).decode("ascii")
    return (
        f'<span class="clip" style="display:inline-block;max-width:100%">{_drawing(kept, said)}'
        f'<audio controls preload="none" aria-label="{said}" title="{length:.2f} s" '
        f'style="display:block;width:{WIDTH}px;max-width:100%;height:32px" '
        f'src="data:audio/wav;base64,{sound}"></audio>{more}</span>'
    )


def _drawing(record: Array, said: str) -> str:
    """The lowest and highest sample of each of many parts, as a closed line in the page's own color."""
    low, high = _outline(record)
    scale = HEIGHT / 2 / max(1.0, float(np.abs([low, high]).max()))
    upper = [f"{x:g},{HEIGHT / 2 - value * scale:.1f}" for x, value in enumerate(high.tolist())]
    lower = [f"{x:g},{HEIGHT / 2 - value * scale:.1f}" for x, value in enumerate(low.tolist())]
    points = " ".join([*upper, *reversed(lower)])
    return (
        f'<svg role="img" aria-label="{said}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'preserveAspectRatio="none" style="display:block;max-width:100%"><title>{said}</title>'
        f'<polygon points="{points}" fill="currentColor" stroke="currentColor" stroke-width="0.6"/></svg>'
    )


def _outline(record: Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    values = np.asarray(record, np.float64)
    if not len(values):
        values = np.zeros(1)
    edges = np.linspace(0, len(values), WIDTH + 1).astype(np.int64)
    starts = np.minimum(edges[:-1], len(values) - 1)
    return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)


def tile(decibels: npt.NDArray[np.float32]) -> Pixels:
    """Frames `(bands, T)` as a small picture `(TILE, TILE, 3)`, loud dark, low below."""
    bands, times = decibels.shape
    rows, columns = np.arange(TILE) * bands // TILE, np.arange(TILE) * max(1, times) // TILE
    small = decibels[rows[::-1, None], columns] if times else np.zeros((TILE, TILE), np.float32)
    low, high = float(small.min()), float(small.max())
    gray = 255 - np.rint((small - low) / max(1e-6, high - low) * 255)
    return np.repeat(gray.astype(np.uint8)[:, :, None], 3, 2)
