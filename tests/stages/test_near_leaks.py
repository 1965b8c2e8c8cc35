"""Near leaks through ingest: cropped, mirrored, resized, saved anew and blank pictures, each named by what it is."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from components.core.errors import Refused
from components.datasets.manifest import read_manifest
from components.datasets.quarantine import read_losses, read_quarantine, read_ways
from components.stages import ingest, validate

OUTPUTS = {
    "manifest": "manifest.parquet",
    "samples": "samples.npy",
    "quarantine": "quarantine.parquet",
    "oracle": "oracle.parquet",
}
COLOR = {"name": "image", "channels": 3, "image_size": 96}
Photos = list[Image.Image]


def edged(photo: Image.Image, *, left: int, top: int, right: int, bottom: int) -> Image.Image:
    return photo.crop((left, top, photo.width - right, photo.height - bottom))


MADE: dict[str, tuple[str, Callable[[Image.Image], Image.Image], int]] = {
    "cropped": ("cropped", lambda photo: edged(photo, left=10, top=10, right=10, bottom=10), 92),
    "a_corner": ("cropped", lambda photo: edged(photo, left=10, top=10, right=0, bottom=0), 92),
    "mirrored": ("mirrored", ImageOps.mirror, 92),
    "both": (
        "cropped and mirrored",
        lambda photo: ImageOps.mirror(edged(photo, left=0, top=10, right=10, bottom=10)),
        92,
    ),
    "saved": ("saved anew", lambda photo: photo, 60),
    "resized": ("resized", lambda photo: photo.resize((150, 150), Image.Resampling.BICUBIC), 92),
}


def textured(count: int) -> Photos:
    """Like photos: detail at all scales, of which the coarse is the strongest."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(count):
        layers = [
            np.asarray(Image.fromarray(draw.normal(0, 1, (size, size)).astype(np.float32)).resize((224, 224), 3)) / size
            for size in (4, 8, 16, 32, 64)
        ]
        gray = np.sum(layers, axis=0)
        scaled = (gray - gray.min()) / (gray.max() - gray.min())
        found.append(Image.fromarray((scaled[:, :, None] * draw.uniform(150, 255, 3)).astype(np.uint8)))
    return found


def save(path: Path, photo: Image.Image, quality: int = 92) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, "JPEG", quality=quality)


def made_folder(home: Path, photos: Photos) -> Path:
    """Photos in both splits, of the first six of training an altered copy in the test split, and blank ones in both."""
    half = len(photos) // 2
    for number, photo in enumerate(photos):
        save(home / ("train" if number < half else "test") / ("cat", "dog")[number % 2] / f"{number:03d}.jpg", photo)
    for number, (name, (_, change, quality)) in enumerate(MADE.items()):
        save(home / "test" / ("cat", "dog")[number % 2] / f"{name}.jpg", change(photos[number]), quality)
    for split, quality in (("train", 92), ("test", 60)):
        for color in ("black", "white"):
            save(home / split / "cat" / f"{color}.jpg", Image.new("RGB", (224, 224 + quality), color), quality)
    return home


def ingested(home: Path, out: Path, **settings: object) -> dict[str, Path]:
    out.mkdir()
    outputs = {name: out / file for name, file in OUTPUTS.items()}
    params = ingest.Params.model_validate({"source": str(home), "modality": COLOR, **settings})
    ingest.run(params=params, raw=home, **outputs)
    return outputs


def check_named(photos: Photos, home: Path, tmp_path: Path) -> None:
    outputs = ingested(made_folder(home, photos), tmp_path / "refuse")
    leaks = {
        path: (twin.removesuffix(".jpg").rpartition("/")[2], how)
        for path, (twin, how) in read_ways(outputs["quarantine"]).items()
    }
    assert leaks == {
        f"train/{('cat', 'dog')[number % 2]}/{number:03d}.jpg": (name, how)
        for number, (name, (how, _, _)) in enumerate(MADE.items())
    }
    said = " ".join(read_losses(outputs["quarantine"]))
    assert "2 pictures are others, cropped, such as test/cat/cropped.jpg of train/cat/000.jpg." in said
    assert "1 picture is another, mirrored, such as " in said
    assert "4 blank pictures" in said
    assert "train/cat/black.jpg" in said
    groups = read_manifest(outputs["manifest"]).set_index("path")["group"]
    assert groups[groups.index.str.contains("black|white")].nunique() == 4
    assert len(groups) - groups.nunique() == len(MADE)


@pytest.fixture
def textured_photos() -> Photos:
    return textured(40)


def test_each_is_found_and_named_by_what_it_is(textured_photos: Photos, tmp_path: Path) -> None:
    check_named(textured_photos, tmp_path / "pictures", tmp_path)


def test_each_is_found_among_real_photos(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data("vision/imagenette224_subset.zip")) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".JPEG"))[::25]
        photos = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    check_named(photos, tmp_path / "pictures", tmp_path)


def test_the_training_copy_goes_with_the_reason_or_validate_says_what_it_is(
    textured_photos: Photos, tmp_path: Path
) -> None:
    home = made_folder(tmp_path / "pictures", textured_photos)
    left_out = read_quarantine(ingested(home, tmp_path / "drop", leaks="drop")["quarantine"])
    reasons = left_out[left_out["kind"] == "leak"].set_index("path")["reason"]
    assert len(reasons) == len(MADE)
    assert reasons["train/dog/003.jpg"] == (
        "the same picture, cropped and mirrored, is in the test split: test/dog/both.jpg."
    )
    outputs = ingested(home, tmp_path / "refuse")
    with pytest.raises(Refused, match=r"group [0-9a-f]{16}, how \w.*, path train/"):
        validate.run(params=validate.Params(seed=0), **outputs, verdict=tmp_path / "verdict.json")


def test_exact_looks_for_no_altered_copies(textured_photos: Photos, tmp_path: Path) -> None:
    home = made_folder(tmp_path / "pictures", textured_photos)
    outputs = ingested(home, tmp_path / "exact", near_duplicates="exact")
    assert read_ways(outputs["quarantine"]) == {}
    listing: pd.DataFrame = read_manifest(outputs["manifest"])
    assert listing["group"].nunique() == len(listing)


def test_small_pictures_are_found_mirrored_alone(textured_photos: Photos, tmp_path: Path) -> None:
    small = {**COLOR, "image_size": 32, "channels": 1}
    outputs = ingested(made_folder(tmp_path / "pictures", textured_photos), tmp_path / "small", modality=small)
    assert {how for _, how in read_ways(outputs["quarantine"]).values()} == {"mirrored", "saved anew", "resized"}
