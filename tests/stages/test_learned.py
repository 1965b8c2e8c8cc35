"""The page of a pretraining: a curve for every figure, pictures pixel by pixel, the same bytes for the same numbers."""

from pathlib import Path

import numpy as np
from PIL import Image

from components.pages.learned import draw_learned

HISTORY = [{"epoch": float(n), "loss": 1 / n, "uniformity": -float(n), "learning_rate": 0.1} for n in range(1, 6)]


def _tile(level: int) -> np.ndarray:
    return np.full((32, 32, 3), level, np.uint8)


def _page(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_the_page_holds_every_picture_pixel_by_pixel_and_is_repeatable(tmp_path: Path) -> None:
    pictures = {"originals": [_tile(7)] * 3, "samples": [_tile(99)] * 2}
    for name in ("first.png", "second.png"):
        draw_learned(tmp_path / name, "What it learned", HISTORY, pictures)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    page = _page(tmp_path / "first.png")
    for value, count in ((7, 3), (99, 2)):
        rows, columns = np.nonzero((page == value).all(axis=2))
        assert len(rows) >= count * 96 * 96
        assert (page[rows.min() : rows.min() + 96, columns.min() : columns.min() + 96] == value).all()


def test_a_method_without_pictures_gets_its_curves_alone(tmp_path: Path) -> None:
    draw_learned(tmp_path / "bare.png", "What it learned", HISTORY, {})
    draw_learned(tmp_path / "full.png", "What it learned", HISTORY, {"samples": [_tile(0)]})
    bare, full = _page(tmp_path / "bare.png"), _page(tmp_path / "full.png")
    assert len(bare) < len(full)
    top = len(bare) - 60  # the page's lower margin aside
    np.testing.assert_array_equal(bare[:top], full[:top])


def test_another_curve_is_another_picture_and_the_learning_rate_is_not_drawn(tmp_path: Path) -> None:
    other = [{**row, "loss": 2 - row["loss"]} for row in HISTORY]
    slower = [{**row, "learning_rate": 0.01} for row in HISTORY]
    for name, history in {"plain": HISTORY, "other": other, "slower": slower}.items():
        draw_learned(tmp_path / f"{name}.png", "What it learned", history, {})
    plain, different, same = ((tmp_path / f"{name}.png").read_bytes() for name in ("plain", "other", "slower"))
    assert plain != different
    assert plain == same
