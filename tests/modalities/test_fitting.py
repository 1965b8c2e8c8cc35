"""Fit and range: what a setting keeps of a picture; what is lost is measured; formats that are not read are named."""

import io

import numpy as np
import pytest
from PIL import Image

from components.datasets.reading import losses
from components.modalities.image import Image as ImageKind
from components.modalities.image import fitting
from components.modalities.image.decode import Unreadable, decode, measure_span
from components.modalities.image.fitting import Preparation
from components.modalities.image.formats import unread_format
from components.modalities.image.losses import LOSSES


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def panorama() -> bytes:
    """Black, 400x40, with something white at its right end."""
    pixels = np.zeros((40, 400), np.uint8)
    pixels[:, 360:] = 255
    return encoded(Image.fromarray(pixels))


def deep(low: int, high: int) -> bytes:
    levels = np.linspace(low, high, 64 * 64).reshape(64, 64).astype(np.uint16)
    return encoded(Image.fromarray(levels))


@pytest.mark.parametrize(("fit", "white"), [("crop", 0.0), ("stretch", 0.1), ("pad", 0.01)])
def test_what_lies_at_the_end_is_kept_by_pad_and_stretch(fit: str, white: float) -> None:
    picture = decode(panorama(), Preparation(40, 1, fit))  # type: ignore[arg-type]
    assert picture.pixels.shape == (1, 40, 40)
    assert (picture.pixels > 127).mean() == pytest.approx(white, abs=0.02)
    assert ((picture.pixels > 127).any()) == (fit != "crop")
    assert ("crop" in picture.lost) == (fit == "crop")


@pytest.mark.parametrize(("low", "high"), [(0, 4095), (8000, 8400)])
def test_a_range_of_their_own_keeps_the_levels_of_deep_pictures(low: int, high: int) -> None:
    content = deep(low, high)
    full = decode(content, Preparation(64, 1))
    assert len(np.unique(full.pixels)) < 20
    assert full.lost == ("range",)
    for span in (None, measure_span(content)):
        kept = decode(content, Preparation(64, 1, span=span))
        assert len(np.unique(kept.pixels)) > 200
        assert kept.lost == ()


def test_a_float_picture_needs_a_range() -> None:
    content = encoded(Image.fromarray(np.linspace(-1, 1, 400, dtype=np.float32).reshape(20, 20)), "TIFF")
    with pytest.raises(Unreadable, match=r"set ingest\.modality\.range to file or dataset"):
        decode(content, Preparation(16, 1))
    assert np.ptp(decode(content, Preparation(16, 1, span=None)).pixels) > 200


@pytest.mark.parametrize("largest", [1.0, 3e38])
def test_floats_that_are_no_numbers_or_as_large_as_can_be_are_black_or_white(largest: float) -> None:
    values = np.full((20, 20), -largest, np.float32)
    values[10:] = largest
    values[0, :3], values[-1, :3] = (np.inf, -np.inf, np.nan), (np.inf, -np.inf, np.nan)
    pixels = decode(encoded(Image.fromarray(values), "TIFF"), Preparation(20, 1, span=None)).pixels[0]
    assert pixels[0, :3].tolist() == pixels[-1, :3].tolist() == [255, 0, 0]
    assert (pixels[1:10] == 0).all()
    assert (pixels[10:19] == 255).all()


def test_losses_are_named_and_a_sound_picture_has_none() -> None:
    red = Image.new("RGB", (40, 40), "red")
    clear = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    clear.paste((255, 255, 255, 255), (0, 0, 20, 40))
    frames = encoded(red, "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 40))], duration=9)
    assert decode(encoded(red), Preparation(16, 1)).lost == ("color",)
    assert decode(encoded(red), Preparation(16, 3)).lost == ()
    assert decode(encoded(clear), Preparation(16, 3)).lost == ("alpha",)
    assert decode(frames, Preparation(16, 3)).lost == ("frames",)
    assert decode(encoded(Image.new("L", (600, 600))), Preparation(16, 1)).lost == ("size",)
    (said,) = losses(LOSSES, {"crop": 3}, "pictures", 10)
    assert said.startswith("3 of 10 pictures")
    assert "ingest.modality.fit: pad" in said


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16"])
def test_a_big_picture_made_smaller_by_strips_looks_the_same(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.add.outer(np.arange(300), np.arange(350)).astype(np.uint16) % 500 // 2
    image = Image.fromarray(ramp * 257) if mode == "I;16" else Image.fromarray(ramp.astype(np.uint8)).convert(mode)
    whole = decode(encoded(image), Preparation(16, 3)).pixels.astype(int)
    monkeypatch.setattr(fitting, "_BIG", 20_000)
    assert np.abs(decode(encoded(image), Preparation(16, 3)).pixels - whole).mean() < 4


HEADS = {
    "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "AVIF": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf",
    "video": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42",
    "camera raw": b"II*\x00\x10\x00\x00\x00CR\x02\x00",
    "GIF": b"GIF89a" + bytes(40),
    "SVG": b"<?xml version='1.0'?>\n<svg xmlns='x'/>",
    "Photoshop": b"8BPS\x00\x01",
    "PDF": b"%PDF-1.7",
    "JPEG 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_format_that_is_not_read_is_named_with_its_cure(name: str) -> None:
    assert unread_format(HEADS[name]).startswith(f"{name} is a format that is not read: ")
    with pytest.raises(Unreadable) as refusal:
        decode(HEADS[name], Preparation(16, 3))
    assert refusal.value.kind == "unread_format"


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_interpolation_is_pillows_and_bicubic_leaves_no_word_in_what_was_kept(fit: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60), np.uint8)
    for name, resample in (("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)):
        how = Preparation(24, 1, fit, interpolation=name)  # type: ignore[arg-type]
        expected = np.asarray(Image.fromarray(pixels).resize((24, 24), resample))
        assert np.array_equal(decode(encoded(Image.fromarray(pixels)), how).pixels[0], expected)
    kept = [
        ImageKind(ImageKind.Config.model_validate(given)).choice.options
        for given in ({}, {"interpolation": "bilinear"})
    ]
    assert "interpolation" not in kept[0]
    assert kept[1]["interpolation"] == "bilinear"
