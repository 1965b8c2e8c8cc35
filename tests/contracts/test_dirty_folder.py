"""A folder with every fault planted on purpose: each is left out, repaired or refused, for its own reason."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import dirty_folder

SOUND = "kept: 224x224, mode RGB"
FATE = {  # fault -> what becomes of each of its files; a fault of two files may have two fates
    "clean": SOUND,
    "truncated_jpeg": "unreadable: damaged: .*([Tt]runcated|broken|not processed)",
    "corrupt_bytes_jpeg": "unreadable: damaged: broken data stream",
    "zero_byte": "unreadable: the file is empty",
    "text_renamed_jpg": "unreadable: not a picture",
    "junk_file": "no_picture: a (hidden|\\.txt)? ?file",
    "image_1x1": "unreadable: 1x1 pixels",
    "extreme_aspect_ratio": "unreadable: 600x2 pixels",
    "huge_declared_dimensions": "unreadable: 60000x60000 pixels are more than",
    "symlink_outside": "unsafe: a symbolic link",
    "label_conflict": "conflict: the same picture is under '[a-z_]+' and '[a-z_]+': which is right",
    "cmyk_jpeg": "kept: 224x224, mode CMYK",
    "png_16bit": "kept: 224x224, mode I;16",
    "exif_orientation": "kept: 224x160, mode RGB",
    "grayscale_jpeg": "kept: 224x224, mode L",
    "rgba_png": "kept: 224x224, mode RGBA",
    "palette_png": "kept: 224x224, mode P",
    "wrong_extension": SOUND,
    "uppercase_extension": SOUND,
    "unicode_space_filename": SOUND,
    "nested_subfolder": SOUND,
    "wrong_label": SOUND,  # nothing is wrong with the file
    "single_image_class": SOUND,  # the verdict names the class
    "train_val_leak_exact": SOUND,  # the training copy is what goes
    "train_val_leak_near": "kept: 200x200, mode RGB",  # the verdict names the pair
    "exact_duplicate_within_class": "kept: 224x224|duplicate: the same picture is kept as ",
    "counterpart": "kept: 224x224|duplicate: the same picture is kept as |conflict: |leak: the same picture is",
}


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory, shared_data: Callable[[str], Path]) -> pd.DataFrame:
    """A row per planted file, with its `fate`; `attrs`: where ingest wrote."""
    archive, home = shared_data(dirty_folder.ARCHIVE), tmp_path_factory.mktemp("dirty")
    listing = dirty_folder.planted(shared_data(dirty_folder.LISTING))
    dirty_folder.read(dirty_folder.unzip(archive, home), home / "out")
    found = dirty_folder.fates(home / "out")
    assert set(found) == set(listing["path"])  # no file is lost without a word
    listing["fate"] = [": ".join(found[path]) for path in listing["path"]]
    listing.attrs["home"] = str(home / "out")
    return listing


@pytest.mark.parametrize("fault", sorted(FATE))
def test_a_planted_fault_lands_where_it_belongs_for_its_own_reason(listing: pd.DataFrame, fault: str) -> None:
    rows = listing[listing["issue"] == fault]
    assert len(rows)
    strange = [row.path + ": " + row.fate for row in rows.itertuples() if not re.match(FATE[fault], row.fate)]
    assert not strange


def test_no_planted_fault_is_left_out_of_the_table(listing: pd.DataFrame) -> None:
    assert set(listing["issue"]) == set(FATE)


def test_of_copies_one_is_kept_and_of_leaks_the_training_copy_goes(listing: pd.DataFrame) -> None:
    fates = dict(zip(listing["path"], listing["fate"], strict=True))
    for row in listing[listing["issue"] == "train_val_leak_exact"].itertuples():
        assert fates[row.related_path] == f"leak: the same picture is in the test split: {row.path}."
    copies = listing[listing["issue"].isin(["exact_duplicate_within_class", "counterpart"])].groupby("sha256")["fate"]
    for sha256, group in copies:
        assert sum(fate.startswith("kept") for fate in group) <= 1, sha256


def test_the_verdict_names_what_no_file_shows_alone(listing: pd.DataFrame) -> None:
    said = dirty_folder.verdict(Path(listing.attrs["home"]))
    classes = next(sentence for sentence in said if "at least 2 training samples" in sentence)
    assert "empty_class, 0" in classes
    assert "parachute, 1" in classes
    pairs = next(sentence for sentence in said if "near-duplicates" in sentence)
    for row in listing[listing["issue"] == "train_val_leak_near"].itertuples():
        assert f"{row.related_path}, {row.path}" in pairs
    assert any("validate.max_unreadable" in sentence and "ingest.leaks" in sentence for sentence in said)
