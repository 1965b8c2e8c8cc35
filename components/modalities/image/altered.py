"""Pictures cut or mirrored out of another: windows as coarse vectors to find candidates, aligned pixels to confirm.

A picture's windows are described by their lowest frequencies, of which a copy that was cropped has nearly the same as
its own. A candidate is then laid on the other by small steps of the window's place and size (Lucas & Kanade 1981), and
counts only where detail agrees all over the picture.
"""

import numpy as np
import numpy.typing as npt

from components.modalities.image.near import nearly_equal, thumbnail

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]
CROPPED, MIRRORED = "cropped", "mirrored"
DETAILED = 64  # pixels of a side; smaller pictures show too little of a window: only mirrored copies are looked for
SHARES = (0.92, 0.84)  # of the sides, that windows have; what is between is found too
WHOLE = 0.985  # of the sides; a window that is larger leaves nothing out
MAX_RESIDUE = 0.13  # mean absolute difference, of the contrast; photos cropped by 10 of 224 pixels: .04 to .09
LEAST_AGREEMENT = 0.96  # correlation of detail; photos cropped by 10 of 224 pixels: .97 to .99; other clothes: .92
LEAST_DETAIL = 0.1  # of the contrast; photos: .12 to .5; digits drawn large: below .08
_SIDE, _SEEN, _FREQUENCIES = 64, 32, 6
_ROUNDS = ((8, 3, 0.95), (16, 3, 0.96), (32, 3, 0.975))  # pixels that are compared, steps, correlation to go on
_STEP, _FARTHEST, _SMALLEST = 0.01, 0.06, 0.7  # of finite differences; of one step; of windows


def sketches(pictures: list[Pixels]) -> Floats:
    """`(B, V, 36)` of length 1: each picture `(C, S, S)` itself, mirrored, then its windows, each also mirrored.

    The 6x6 lowest frequencies, the higher ones weighted up by the root of their frequency; a flat picture's are 0.
    """
    planes = _thumbnails(pictures)
    side, number = planes.shape[1], np.arange(_FREQUENCIES)
    weights = np.hypot(number[:, None], number[None]) ** 0.5  # brightness, at 0, says nothing
    versions = []
    for left, top, share in _windows(pictures[0].shape[-1]):
        low = weights * (_waves(top, share, side) @ planes @ _waves(left, share, side).T)
        versions += [low, low * (-1.0) ** number]  # of a mirrored picture every other frequency along x is negative
    together = np.stack(versions, 1).reshape(len(pictures), len(versions), -1)
    return np.asarray(together / np.linalg.norm(together, axis=2, keepdims=True).clip(1e-6), np.float32)


def altered(pictures: list[Pixels], pairs: Positions, versions: Positions) -> list[str]:
    """What was done to the first of each of the `pairs` `(2, P)` to make the second, nothing where it is another.

    versions: `(P,)` which of the first's sketches is like the second's own.
    """
    planes = _thumbnails(pictures)
    first, second = planes[pairs[0]], planes[pairs[1]]
    turned = versions % 2 == 1
    first[turned] = first[turned, :, ::-1]
    windows = np.array(_windows(pictures[0].shape[-1]), np.float32)[versions // 2]
    whole = nearly_equal(first, second)
    cut = np.zeros(len(windows), np.bool_)
    if pictures[0].shape[-1] >= DETAILED:
        left = np.flatnonzero(~whole)
        cut[left] = _cut_out(first[left], second[left], windows[left])
    words = {(False, True): CROPPED, (True, False): MIRRORED, (True, True): f"{CROPPED} and {MIRRORED}"}
    return [
        words.get((mirror, crop), "") if same or crop else ""
        for mirror, same, crop in zip(turned.tolist(), whole.tolist(), cut.tolist(), strict=True)
    ]


def _windows(side: int) -> list[tuple[float, float, float]]:
    """`left, top, share` of the sides: the whole, and of pictures with detail the middle and the corners."""
    found = [(0.0, 0.0, 1.0)]
    for share in SHARES if side >= DETAILED else ():
        rest = 1 - share
        found += [(x * rest, y * rest, share) for x, y in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1))]
    return found


def _thumbnails(pictures: list[Pixels]) -> Floats:
    """`(B, 64, 64)` gray; of pictures without detail `(B, 32, 32)`."""
    side = _SIDE if pictures[0].shape[-1] >= DETAILED else _SEEN
    return np.stack([thumbnail(picture, side) for picture in pictures]).astype(np.float32)


def _waves(start: float, share: float, side: int) -> Floats:
    """`(6, side)`: the lowest waves of a window of an axis."""
    edges = np.arange(side + 1) / side
    inside = np.clip(edges, start, start + share)
    middle, width = (inside[1:] + inside[:-1]) / 2 - start, np.diff(inside)
    return np.asarray(np.cos(np.pi * np.arange(_FREQUENCIES)[:, None] * middle / share) * width / share, np.float32)


def _cut_out(first: Floats, second: Floats, windows: Floats) -> npt.NDArray[np.bool_]:
    """`(P,)`: whether the second `(P, 64, 64)` is a window of the first, which begins with the given one."""
    other = _shrunk(second, _SEEN)
    left = np.flatnonzero(_detail(other).std((1, 2)) >= LEAST_DETAIL * other.std((1, 2)))
    windows = windows.copy()
    for size, steps, least in _ROUNDS:
        seen = _shrunk(first[left], 2 * size)
        windows[left], agreement = _aligned(seen, _shrunk(second[left], size), windows[left], steps)
        left = left[agreement >= least]
    seen, other = _through(first[left], windows[left], _SEEN), other[left]
    little = np.abs(seen - other).mean((1, 2)) <= MAX_RESIDUE * other.std((1, 2))
    in_detail = (_scaled(_detail(seen)) * _scaled(_detail(other))).sum(1) >= LEAST_AGREEMENT
    found = np.zeros(len(windows), np.bool_)
    found[left] = (windows[left, 2] < WHOLE) & little & in_detail
    return found


def _detail(planes: Floats) -> Floats:
    """What of planes `(P, n, n)` is not in the mean of the 3x3 pixels around."""
    size, around = planes.shape[1], np.pad(planes, ((0, 0), (1, 1), (1, 1)), "edge")
    rows = around[:, :size] + around[:, 1:-1] + around[:, 2:]
    return np.asarray(planes - (rows[:, :, :size] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9, np.float32)


def _aligned(first: Floats, second: Floats, windows: Floats, steps: int) -> tuple[Floats, Floats]:
    """The windows `(P, 3)` of the first that look most like the second `(P, n, n)`, and their correlation `(P,)`."""
    if not len(windows):
        return windows, np.empty(0, np.float32)
    size, wanted = second.shape[1], _scaled(second)
    best, highest = windows.copy(), np.full(len(windows), -1, np.float32)
    for step in range(steps + 1):
        seen = _scaled(_through(first, windows, size))
        agreement = (seen * wanted).sum(1)
        better = agreement > highest
        best[better], highest[better] = windows[better], agreement[better]
        if step < steps:
            shifts = _STEP * np.eye(3, dtype=np.float32)
            slopes = np.stack([_scaled(_through(first, windows + one, size)) - seen for one in shifts], 1) / _STEP
            square = slopes @ slopes.transpose(0, 2, 1)
            square += 1e-3 * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(3) + 1e-9 * np.eye(3)
            move = np.linalg.solve(square, slopes @ (wanted - seen)[:, :, None])[:, :, 0]
            windows = windows + move.clip(-_FARTHEST, _FARTHEST).astype(np.float32)
            windows[:, 2] = windows[:, 2].clip(_SMALLEST, 1)
            windows[:, :2] = windows[:, :2].clip(0, 1 - windows[:, 2:])
    return best, highest


def _through(planes: Floats, windows: Floats, size: int) -> Floats:
    """`(P, size, size)`: what of the planes `(P, 64, 64)` lies in the windows, each pixel the mean of its area."""
    across, down = (_areas(windows[:, axis], windows[:, 2], size, planes.shape[1]) for axis in (0, 1))
    return np.asarray(down @ planes @ across.transpose(0, 2, 1), np.float32)


def _areas(start: Floats, share: Floats, size: int, side: int) -> Floats:
    """`(P, size, side)`: by how much each of an axis's pixels counts for those of a window."""
    low = (start[:, None] + share[:, None] * np.arange(size) / size) * side
    high = low + (share * side / size)[:, None]
    pixel = np.arange(side)
    covered = (np.minimum(pixel + 1, high[..., None]) - np.maximum(pixel, low[..., None])).clip(0)
    return np.asarray(covered / covered.sum(2, keepdims=True).clip(1e-6), np.float32)


def _shrunk(planes: Floats, size: int) -> Floats:
    parts = planes.shape[1] // size
    return np.asarray(planes.reshape(len(planes), size, parts, size, parts).mean((2, 4)), np.float32)


def _scaled(planes: Floats) -> Floats:
    """`(P, n * n)`, mean 0 and length 1."""
    flat = planes.reshape(len(planes), planes.shape[1] * planes.shape[2])
    flat = flat - flat.mean(1, keepdims=True)
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-6), np.float32)
