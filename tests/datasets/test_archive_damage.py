"""Damaged archives: cut, flipped, spoiled by chance: refused, or what was packed comes out."""

import os
import random
import shutil
import zipfile
from pathlib import Path

import pytest
from archive_refused import content_of, refused

from benchmarks._hostile_archives import MAKERS, Make, Members, make_tar, make_zip, write_hostile
from components.core.errors import WinnowError
from components.datasets.archive import HOME, unpack


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


NAMES = ("cat/1.jpg", "dog/2.jpg", "dog/deep/3.jpg")


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_cut_archive_is_damaged_and_leaves_nothing(suffix: str, keep: float) -> None:
    content = {name: os.urandom(3000) for name in NAMES}
    path = MAKERS[suffix](Path(f"my.{suffix}"), content).absolute()
    size = sum(len(part) for part in content.values())
    path.write_bytes(path.read_bytes()[: int(keep * size)])
    assert "is damaged" in refused(path)


def test_a_flipped_byte_in_a_zip_is_damage() -> None:
    path = make_zip(Path("my.zip"), {"cat/1.jpg": os.urandom(5000), "dog/2.jpg": b"two"}).absolute()
    content = bytearray(path.read_bytes())
    content[2500] ^= 1
    path.write_bytes(content)
    assert "is damaged" in refused(path)


def _mixed_zip(path: Path, members: Members) -> Path:
    """Each member compressed in another way, and a folder."""
    with zipfile.ZipFile(path, "w") as packed:
        packed.mkdir("empty")
        kinds = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        for kind, (name, content) in zip(kinds, members.items(), strict=False):
            packed.writestr(zipfile.ZipInfo(name), content, kind)
    return path


@pytest.mark.parametrize(("make", "name"), [(_mixed_zip, "my.zip"), (make_tar, "my.tar"), (make_tar, "my.tar.gz")])
def test_one_byte_flipped_anywhere_is_refused_or_changes_nothing(make: Make, name: str, tmp_path: Path) -> None:
    """Nothing in a plain tar says what a member's bytes were: there a flipped one is another picture, and an accent
    another letter."""
    accent = "a/1.jpg" if name == "my.tar" else "a/é.jpg"
    members = {accent: os.urandom(40), "b/2.jpg": bytes(range(60)), "b/3.jpg": b"3" * 50, "b/4.jpg": b"4" * 70}
    path = make(Path(name), members)
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 1 if len(whole) < 2000 else 11):
        for mask in (0xFF, 0x01):
            content = bytearray(whole)
            content[place] ^= mask
            path.write_bytes(content)
            try:
                found = content_of(unpack(path))
            except WinnowError:
                refused += 1
                assert not HOME.exists() or not list(HOME.iterdir())
            else:
                shutil.rmtree(HOME)
                changed = {key for key in members if found.get(key) != members[key]}
                assert set(found) == set(members), place
                assert len(changed) <= (name == "my.tar"), place
    assert refused > 400


def test_what_is_spoiled_by_chance_is_refused_or_holds_what_was_packed() -> None:
    chance, ends = random.Random(0), []
    members = {f"{name}/{number}.jpg": os.urandom(300) for name in ("a", "b") for number in range(3)}
    for number in range(40):
        path = Path(f"{number}.{chance.choice(list(MAKERS))}")
        done = write_hostile(path, members, chance)
        try:
            found = unpack(path)
        except WinnowError:
            ends.append("refused")
            assert not HOME.exists() or not list(HOME.iterdir())
        else:
            ends.append("taken")
            same = {name: content == members[name] for name, content in content_of(found).items() if name in members}
            assert all(same.values()) or path.name.lower().endswith(".tar"), done  # which has no checksum of content
            shutil.rmtree(HOME)
        path.unlink()
        assert {item.name for item in Path().iterdir()} <= {".winnow"}
        assert [item.name for item in Path("..").iterdir()] == ["project"]
    assert set(ends) == {"refused", "taken"}
