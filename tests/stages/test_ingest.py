"""Stage ingest: on a small generated folder, on the deliberately dirty one, and on the digits."""

import csv
import io
import random
import stat
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.core.errors import WinnowError
from components.datasets.manifest import read_manifest
from components.datasets.oracle import read_classes, reveal
from components.datasets.quarantine import read_losses, read_quarantine
from components.datasets.sample_store import open_samples
from components.modalities.image.decode import decode
from components.modalities.image.fitting import Preparation
from components.stages import ingest

COLOR = {"name": "image", "channels": 3}
OUTPUTS = {
    "manifest": "manifest.parquet",
    "samples": "samples.npy",
    "quarantine": "quarantine.parquet",
    "oracle": "oracle.parquet",
}


def run(source, home, **params):
    home.mkdir(parents=True, exist_ok=True)
    outputs = {name: home / file for name, file in OUTPUTS.items()}
    metrics = ingest.run(params=ingest.Params(source=str(source), **params), raw=Path(source), **outputs)
    return metrics, outputs


def photo(number):
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC)


def save(path, number, quality=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    photo(number).save(path, "JPEG", quality=quality)


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "pictures"
    for number in range(40):
        save(home / ("cat", "dog")[number % 2] / f"{number:02d}.jpg", number)
    save(home / "unlabeled" / "x.jpg", 100)
    (home / "cat" / "notes.txt").write_text("no picture")
    return home


def test_another_form_of_the_ids_moves_nobody_to_another_split_or_group(folder, tmp_path, monkeypatch):
    save(folder / "cat" / "twin.jpg", 0, quality=80)
    listings = []
    for form in (lambda digest: digest[:16], lambda digest: digest[:15] + "abcdf"[int(digest[15], 16) % 5]):
        monkeypatch.setattr(ingest, "identity_of", form)
        listings.append(read_manifest(run(folder, tmp_path / "out")[1]["manifest"]).set_index("path").sort_index())
    before, after = listings
    assert (before["id"] != after["id"]).any()
    assert before["split"].tolist() == after["split"].tolist()
    groups = [listing.groupby("group").groups.values() for listing in listings]
    assert sorted(map(list, groups[0])) == sorted(map(list, groups[1]))


def test_positions_mean_the_same_in_every_file(folder, tmp_path):
    metrics, outputs = run(folder, tmp_path / "out", modality=COLOR, test_fraction=0.3)
    manifest, samples = read_manifest(outputs["manifest"]), open_samples(outputs["samples"])
    assert manifest["id"].is_monotonic_increasing
    assert len(manifest) == len(samples) == metrics["samples"] == 41
    for position in (0, 17, 40):
        content = (folder / manifest["path"][position]).read_bytes()
        assert np.array_equal(samples[position], decode(content, Preparation(32, 3)).pixels)
    truth = reveal(outputs["oracle"], list(manifest["id"]))
    folders = [path.split("/")[0] for path in manifest["path"]]
    assert truth == [None if name == "unlabeled" else name for name in folders]
    assert read_classes(outputs["oracle"]) == ["cat", "dog"]
    assert read_quarantine(outputs["quarantine"])["path"].tolist() == ["cat/notes.txt"]
    assert (metrics["no_picture"], metrics["unreadable"]) == (1, 0)
    assert metrics["train"] + metrics["test"] == 41
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*OUTPUTS.values(), "samples.json"])


def test_same_pictures_same_bytes_whatever_order_the_disk_gives(folder, tmp_path, monkeypatch):
    from components.datasets.sources.folder import Folder

    _, first = run(folder, tmp_path / "first")
    in_order = Folder.items

    def shuffled(self):
        items = list(in_order(self))
        random.Random(1).shuffle(items)
        return iter(items)

    monkeypatch.setattr(Folder, "items", shuffled)
    _, second = run(folder, tmp_path / "second")
    for name in OUTPUTS:
        assert first[name].read_bytes() == second[name].read_bytes(), name


def test_adding_a_picture_moves_nobody(folder, tmp_path):
    _, before = run(folder, tmp_path / "before")
    save(folder / "dog" / "new.jpg", 200)
    _, after = run(folder, tmp_path / "after")
    old, new = (read_manifest(outputs["manifest"]).set_index("path")["split"] for outputs in (before, after))
    assert new.drop("dog/new.jpg").to_dict() == old.to_dict()


def test_a_near_duplicate_across_the_border_stays_or_goes_as_told(tmp_path):
    home = tmp_path / "pictures"
    for number in range(4):
        save(home / "train" / ("cat", "dog")[number % 2] / f"{number}.jpg", number)
        save(home / "test" / ("cat", "dog")[number % 2] / f"{number}.jpg", 10 + number)
    save(home / "test" / "cat" / "again.jpg", 0, quality=70)
    metrics, outputs = run(home, tmp_path / "refuse")
    assert metrics["leak"] == 0
    assert metrics["near_duplicates"] == 1
    metrics, outputs = run(home, tmp_path / "drop", leaks="drop")
    left_out = read_quarantine(outputs["quarantine"])
    assert left_out[["path", "kind", "twin"]].to_numpy().tolist() == [["train/cat/0.jpg", "leak", "test/cat/again.jpg"]]
    manifest = read_manifest(outputs["manifest"])
    assert len(manifest) == len(open_samples(outputs["samples"])) == 8
    assert (manifest["group"] == manifest["id"]).all()


def test_where_nothing_leaks_nothing_is_dropped(folder, tmp_path):
    (_, stay), (metrics, dropped) = run(folder, tmp_path / "stay"), run(folder, tmp_path / "drop", leaks="drop")
    assert metrics["leak"] == 0
    assert "leak" not in set(read_quarantine(dropped["quarantine"])["kind"])
    assert stay["manifest"].read_bytes() == dropped["manifest"].read_bytes()


def test_without_any_label_the_oracle_is_empty(tmp_path):
    for number in range(6):
        save(tmp_path / "pictures" / f"{number}.jpg", number)
    metrics, outputs = run(tmp_path / "pictures", tmp_path / "out", test_fraction=0.5)
    assert metrics["classes"] == 0
    assert read_classes(outputs["oracle"]) == []


def test_a_folder_without_a_picture_says_what_it_holds_instead(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(WinnowError, match="is empty"):
        run(tmp_path / "pictures", tmp_path / "out")
    (tmp_path / "pictures" / "a.jpg").write_text("x")
    with pytest.raises(WinnowError, match=r"no readable picture among its 1 files; the first is a\.jpg: not a picture"):
        run(tmp_path / "pictures", tmp_path / "out")


def test_what_is_lost_is_kept_in_the_words_that_are_printed_and_nothing_where_nothing_is(folder, tmp_path, capsys):
    (loss,) = read_losses(run(folder, tmp_path / "gray", modality={"name": "image", "channels": 1})[1]["quarantine"])
    assert "41 of 41 pictures are in color and become gray" in loss
    assert f"  ingest: {loss}\n" in capsys.readouterr().err
    assert read_losses(run(folder, tmp_path / "color", modality=COLOR)[1]["quarantine"]) == []


def test_a_folder_dvc_does_not_watch_is_mentioned(folder, tmp_path, capsys):
    outputs = {name: tmp_path / file for name, file in OUTPUTS.items()}
    ingest.run(params=ingest.Params(source=str(folder)), raw=tmp_path / "raw", **outputs)
    assert "outside" in capsys.readouterr().err


LANDS = {
    "truncated_jpeg": "unreadable",
    "zero_byte": "unreadable",
    "text_renamed_jpg": "unreadable",
    "image_1x1": "unreadable",
    "extreme_aspect_ratio": "unreadable",
    "huge_declared_dimensions": "unreadable",
    "junk_file": "no_picture",
    "corrupt_bytes_jpeg": "unreadable",
    "symlink_outside": "unsafe",
    "label_conflict": "conflict",
    **dict.fromkeys(
        [
            "clean",
            "wrong_label",
            "cmyk_jpeg",
            "png_16bit",
            "exif_orientation",
            "unicode_space_filename",
            "single_image_class",
            "train_val_leak_exact",
            "train_val_leak_near",
            "grayscale_jpeg",
            "rgba_png",
            "palette_png",
            "wrong_extension",
            "uppercase_extension",
            "nested_subfolder",
        ],
        "kept",
    ),
}


@pytest.fixture
def dirty(shared_data, tmp_path):
    """The folder as `unzip` makes it (links are links), and its list of planted faults."""
    with zipfile.ZipFile(shared_data("dirty/dirty_images.zip")) as archive:
        for member in archive.infolist():
            archive.extract(member, tmp_path)
            if stat.S_ISLNK(member.external_attr >> 16):
                (tmp_path / member.filename).unlink()
                (tmp_path / member.filename).symlink_to(archive.read(member).decode())
    listing = shared_data("dirty/dirty_images_manifest.csv").read_text(encoding="utf-8")
    return tmp_path / "dirty_images", pd.DataFrame(csv.DictReader(io.StringIO(listing)))


def test_every_planted_fault_lands_where_it_belongs(dirty, tmp_path):
    folder, planted = dirty
    metrics, outputs = run(folder, tmp_path / "out", modality=COLOR)
    manifest, left_out = read_manifest(outputs["manifest"]), read_quarantine(outputs["quarantine"])
    lands = dict.fromkeys(manifest["path"], "kept") | dict(zip(left_out["path"], left_out["kind"], strict=True))
    files = planted[planted["entry_type"] != "dir"]
    assert set(lands) == set(files["path"])
    for path, issue in zip(files["path"], files["issue"], strict=True):
        if issue in LANDS:
            assert lands[path] == LANDS[issue], path
    assert {kind: metrics[kind] for kind in ("duplicate", "conflict", "leak")} == {
        "duplicate": 4,
        "conflict": 4,
        "leak": 3,
    }
    near = files[files["issue"] == "train_val_leak_near"]
    groups = manifest.set_index("path")["group"]
    for path, related in zip(near["path"], near["related_path"], strict=True):
        assert groups[path] == groups[related]
    assert len(manifest) - manifest["group"].nunique() == len(near)
    upright = manifest.set_index("path").loc["train/tench/exif_rot6.jpg"]
    assert (upright["width"], upright["height"]) == (224, 160)


def test_no_two_digits_are_merged(tmp_path):
    metrics, _ = run("digits", tmp_path, test_fraction=0.28)
    assert metrics["samples"] == 1797
    assert metrics["near_duplicates"] == metrics["duplicate"] == 0
    assert abs(metrics["test"] / 1797 - 0.28) < 0.03
