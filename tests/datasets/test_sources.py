"""Sources: what each layout means, what is never opened, and plain sentences for what cannot be read."""

import gzip
import os
import struct
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from components.core.errors import WinnowError
from components.datasets.sources import Item, Rejected, open_source


def touch(folder: Path, *names: str):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return open_source(str(folder), root=folder, download=False)


def seen(source):
    return {item.path: (item.label, item.split) for item in source.items() if isinstance(item, Item)}


def rejected(source):
    return {item.path: item.kind for item in source.items() if isinstance(item, Rejected)}


def test_class_folders_leave_the_split_open_and_any_depth_counts(tmp_path):
    source = touch(tmp_path, "a/1.jpg", "a/deep/er/2.jpg", "b/3", "unlabeled/4.png", "5.png")
    assert source.classes() == ["a", "b"]
    assert source.count() == 5
    assert seen(source) == {
        "a/1.jpg": ("a", None),
        "a/deep/er/2.jpg": ("a", None),
        "b/3": ("b", None),
        "unlabeled/4.png": (None, "train"),
        "5.png": (None, None),
    }


@pytest.mark.parametrize("test", ["test", "val", "valid", "validation", "Val"])
def test_split_folders_say_the_split(tmp_path, test):
    source = touch(tmp_path, "train/a/1", "train/b/2", "train/unlabeled/3", f"{test}/a/4", "unlabeled/5", "beside.jpg")
    assert source.classes() == ["a", "b"]
    assert seen(source) == {
        "train/a/1": ("a", "train"),
        "train/b/2": ("b", "train"),
        "train/unlabeled/3": (None, "train"),
        f"{test}/a/4": ("a", "test"),
        "unlabeled/5": (None, "train"),
        "beside.jpg": (None, "train"),
    }


def test_train_alone_leaves_the_split_open(tmp_path):
    source = touch(tmp_path, "train/a/1", "train/b/2", "train/unlabeled/3")
    assert seen(source) == {"train/a/1": ("a", None), "train/b/2": ("b", None), "train/unlabeled/3": (None, "train")}


def test_pictures_without_class_folders_are_all_unlabeled(tmp_path):
    source = touch(tmp_path, "1", "2")
    assert source.classes() == []
    assert seen(source) == {"1": (None, None), "2": (None, None)}


def test_an_empty_class_folder_is_a_class(tmp_path):
    (tmp_path / "c").mkdir()
    assert touch(tmp_path, "a/1", "b/2").classes() == ["a", "b", "c"]


def test_links_and_pipes_are_unsafe_and_hidden_folders_are_not_opened(tmp_path):
    source = touch(tmp_path / "data", "a/1", "b/2", ".git/config", "a/.DS_Store")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "data/a/link").symlink_to(tmp_path / "secret")
    (tmp_path / "data/b/loop").symlink_to(tmp_path / "data")
    os.mkfifo(tmp_path / "data/a/pipe")
    unsafe = dict.fromkeys(["a/link", "b/loop", "a/pipe"], "unsafe")
    assert rejected(source) == {**unsafe, ".git": "no_picture", "a/.DS_Store": "no_picture"}
    assert set(seen(source)) == {"a/1", "b/2"}


def test_strange_names_are_kept_apart_and_can_be_stored(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    names = ["-rf", "with space", "new\nline", composed, decomposed, "鱼🐟", "x" * 255, "twin", "TWIN"]
    source = touch(tmp_path, *(f"a/{name}" for name in names), "b/1")
    (tmp_path / "a" / os.fsdecode(b"\xff")).touch()
    paths = set(seen(source))
    assert paths == {f"a/{name}" for name in names} | {"a/\\xff", "b/1"}
    assert all(path.encode("utf-8") for path in paths)


def test_one_accent_typed_on_two_systems_is_one_class(tmp_path):
    source = touch(
        tmp_path,
        *(unicodedata.normalize(form, f"{half}/é/1") for form, half in (("NFC", "train"), ("NFD", "test"))),
        "train/b/1",
    )
    assert source.classes() == ["b", "é"]
    assert {label for label, _ in seen(source).values()} == {"b", "é"}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["train/a/1", "train/b/1", "other/c/1"], "also 'other'"),
        (["test/a/1", "test/b/1"], "no 'train'"),
        (["a/1", "unlabeled/2"], "one class folder, 'a'"),
    ],
)
def test_a_folder_that_makes_no_sense_is_a_sentence(tmp_path, names, says):
    with pytest.raises(WinnowError, match=says):
        touch(tmp_path, *names).classes()


def test_a_missing_folder_is_a_sentence():
    with pytest.raises(WinnowError, match="'digitz' is neither a built-in source"):
        open_source("digitz", root=Path(), download=False)


def test_digits_are_the_real_ones():
    source = open_source("digits", root=Path(), download=False)
    items = list(source.items())
    assert len(items) == source.count() == 1797
    assert items[0].content.shape == (8, 8)
    assert items[0].content.max() > 200
    assert {item.label for item in items} == set(source.classes())


def write_fashion(root: Path, count: int = 6, packed: bool = True):
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    pictures = np.arange(count * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28)
    labels = np.arange(count, dtype=np.uint8)
    for half in ("train", "t10k"):
        images = struct.pack(">4I", 2051, count, 28, 28) + pictures.tobytes()
        classes = struct.pack(">2I", 2049, count) + labels.tobytes()
        for name, content in (("images-idx3", images), ("labels-idx1", classes)):
            path = raw / f"{half}-{name}-ubyte"
            if packed:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)
    return pictures


@pytest.mark.parametrize("packed", [True, False])
def test_torchvision_reads_local_files_and_leaves_the_root_alone(tmp_path, monkeypatch, packed):
    monkeypatch.chdir(tmp_path)
    pictures = write_fashion(tmp_path / "root", packed=packed)
    before = sorted((tmp_path / "root").rglob("*"))
    source = open_source("torchvision:FashionMNIST", root=tmp_path / "root", download=False)
    items = list(source.items())
    assert source.count() == len(items) == 12
    assert len(source.classes()) == 10
    assert items[1].path == "train/000001"
    assert items[1].label == "Trouser"
    assert np.array_equal(items[1].content, pictures[1])
    assert [item.split for item in items] == ["train"] * 6 + ["test"] * 6
    assert sorted((tmp_path / "root").rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("FashionMNST", "did you mean 'FashionMNIST'"),
        ("FashionMNIST", "set ingest.download: true"),
        ("FakeData", "no train and test part"),
    ],
)
def test_what_torchvision_cannot_give_is_a_sentence(tmp_path, monkeypatch, name, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WinnowError, match=says):
        open_source(f"torchvision:{name}", root=tmp_path, download=False)
