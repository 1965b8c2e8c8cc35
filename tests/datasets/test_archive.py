"""Archives: read like the folder they hold, or refused whole with the member named, and nothing written outside."""

import io
import os
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archive_refused import content_of, refused

from benchmarks._hostile_archives import MAKERS, Make, Members, make_tar, make_zip
from components.core.errors import WinnowError
from components.datasets.archive import HOME, Budget, unpack
from components.datasets.archive_members import Member
from components.datasets.sources import Item, open_source

PICTURES: Members = {"cat/1.jpg": b"one", "dog/2.jpg": b"two", "dog/deep/3.jpg": b"three"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("top", ["", "photos/"])
def test_an_archive_is_the_folder_it_holds(suffix: str, top: str) -> None:
    path = MAKERS[suffix](Path(f"my.{suffix}"), {top + name: content for name, content in PICTURES.items()})
    source = open_source(str(path), root=Path(), download=False)
    items = {item.path: item for item in source.items() if isinstance(item, Item)}
    assert {
        name: item.content.read_bytes() for name, item in items.items() if isinstance(item.content, Path)
    } == PICTURES
    assert source.classes() == ["cat", "dog"]


def test_what_is_asked_for_again_is_as_good_as_new() -> None:
    path = make_zip(Path("my.zip"), PICTURES)
    unpack(path)
    (home,) = HOME.iterdir()
    os.utime(home, (0, 0))
    unpack(path)
    assert home.stat().st_mtime > time.time() - 60


def test_it_is_unpacked_once_and_anew_when_it_changes() -> None:
    path = make_zip(Path("my.zip"), PICTURES)
    first = unpack(path)
    (first / "cat" / "1.jpg").write_bytes(b"touched")
    assert (unpack(path) / "cat" / "1.jpg").read_bytes() == b"touched"
    make_zip(path, {**PICTURES, "cat/4.jpg": b"four"})
    second = unpack(path)
    assert second != first
    assert (second / "cat" / "4.jpg").is_file()


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["../x.jpg", "/tmp/x.jpg", "cat/../../x.jpg", "C:/x.jpg", "..\\x.jpg"])
def test_a_member_that_leads_outside_is_refused_whole(make: Make, name: str) -> None:
    said = refused(make(Path("my.zip" if make is make_zip else "my.tar"), {**PICTURES, name: b"x"}).absolute())
    assert f"'{name}' would be written outside its folder" in said


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_devices_and_pipes_arerefused(kind: bytes) -> None:
    assert "'cat/1.jpg' is a link or a device" in refused(make_tar(Path("my.tar"), PICTURES, kind).absolute())


def test_a_link_in_a_zip_isrefused() -> None:
    assert "'cat/1.jpg' is a link or a device" in refused(make_zip(Path("my.zip"), PICTURES, stat.S_IFLNK).absolute())


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_what_swells_a_thousandfold_isrefused(suffix: str) -> None:
    path = MAKERS[suffix](Path(f"my.{suffix}"), {**PICTURES, "cat/bomb.bmp": bytes(20_000_000)})
    assert "'cat/bomb.bmp' brings it to 20,000,011 bytes unpacked" in refused(path.absolute())


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_size_and_number_have_a_budget(suffix: str) -> None:
    path = MAKERS[suffix](Path(f"my.{suffix}"), PICTURES).absolute()
    assert "'dog/deep/3.jpg' brings it to 11 bytes" in refused(path, Budget(size=10))
    assert "'dog/deep/3.jpg' is one more than the 2 members" in refused(path, Budget(members=2))
    assert unpack(path, Budget(size=11, members=3)).is_dir()


def test_a_member_that_stands_twice_isrefused() -> None:
    path = Path("my.tar").absolute()
    with tarfile.open(path, "w") as packed:
        for content in (b"one", b"two"):
            info = tarfile.TarInfo("cat/1.jpg")
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    assert "'cat/1.jpg' stands in it twice" in refused(path)


TAR_HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "negative": ({"size": -(10**15)}, "says to have -1,000,000,000,000,000 bytes"),
    "endless": ({"size": 2**62}, "bytes unpacked, above the"),
    "sparse": ({"type": tarfile.GNUTYPE_SPARSE}, "is a sparse file"),
    "device": ({"type": tarfile.CHRTYPE}, "is a link or a device"),
}


@pytest.mark.parametrize("kind", TAR_HEADERS)
def test_a_header_that_lies_is_refused_for_what_it_says(kind: str) -> None:
    facts, says = TAR_HEADERS[kind]
    info, path = tarfile.TarInfo("cat/1.jpg"), Path("my.tar").absolute()
    for name, value in facts.items():
        setattr(info, name, value)
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert says in refused(path)


COLLIDING = [
    (["Cat/1.jpg", "cat/2.jpg"], "collides with 'Cat'"),
    (["cat/A.jpg", "cat/a.jpg"], "collides with 'cat/A.jpg'"),
    (["é/1.jpg", "e\u0301/2.jpg"], "collides with 'é'"),
    (["cat", "cat/1.jpg"], "makes 'cat' a folder and a file"),
    (["cat/1.jpg", "cat"], "makes 'cat' a folder and a file"),
    (["cat/1.jpg", "./cat/1.jpg"], "stands in it twice"),
    (["cat/1.jpg", "cat//1.jpg"], "stands in it twice"),
    (["cat/" + "x" * 252 + ".jpg"], "a name of more than 255 bytes"),
    (["/".join("abcdefgh" * 10)], "more than 64 folders deep"),
    (["cat\\1.jpg"], "backslashes"),
    (["."], "has no name"),
]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(("names", "says"), COLLIDING)
def test_members_that_would_be_one_file_or_none_arerefused(make: Make, names: list[str], says: str) -> None:
    path = Path("my.zip" if make is make_zip else "my.tar").absolute()
    assert says in refused(make(path, dict.fromkeys(names, b"x")))


def test_a_folder_packed_from_inside_is_that_folder() -> None:
    with tarfile.open("my.tar", "w") as packed:
        for name, content in (("./", None), ("./cat", None), ("./cat/1.jpg", b"one")):
            info = tarfile.TarInfo(name)
            info.type, info.size = (tarfile.REGTYPE, 3) if content else (tarfile.DIRTYPE, 0)
            packed.addfile(info, io.BytesIO(content or b""))
    assert content_of(unpack(Path("my.tar"))) == {"1.jpg": b"one"}


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_thousands_of_headers_for_one_member_are_damage(kind: bytes) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 512
    path = Path("my.tar").absolute()
    path.write_bytes((info.tobuf() + b"12 path=abc\n".ljust(512, b"\0")) * 5000 + bytes(1024))
    assert "is damaged" in refused(path)


def test_a_header_of_digits_is_damage_not_hours() -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.XHDTYPE, 2**16
    path = Path("my.tar").absolute()
    path.write_bytes(info.tobuf() + b"1" * 2**16 + bytes(1024))
    assert "a header of digits" in refused(path)


def _patched(path: Path, old: bytes, new: bytes, count: int = -1) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, count))
    return path.absolute()


def test_a_zip_whose_sizes_overlap_or_lie_isrefused() -> None:
    members = {"cat/1.jpg": b"one" * 100, "cat/2.jpg": b"two" * 100}
    path = make_zip(Path("my.zip"), members)
    with zipfile.ZipFile(path) as archive:
        second = archive.infolist()[1].header_offset
    assert "lies over another member" in refused(
        _patched(path, struct.pack("<L", second) + b"cat/2", bytes(4) + b"cat/2")
    )
    size = struct.pack("<L", 300)
    assert "damaged" in refused(_patched(make_zip(Path("my.zip"), members), size, struct.pack("<L", 301)))
    assert "bytes unpacked" in refused(_patched(make_zip(Path("my.zip"), members), size, b"\xf0\xff\xff\xff"))


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_a_tar_without_its_end_is_damaged(suffix: str) -> None:
    path = make_tar(Path(f"my.{suffix}"), PICTURES).absolute()
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] if suffix == "tar.gz" else whole[: 6 * 512])
    assert "is damaged" in refused(path)


def test_a_header_of_gigabytes_is_damage_not_memory() -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.XHDTYPE, 2**33
    path = Path("my.tar").absolute()
    path.write_bytes(info.tobuf() + bytes(1024))
    assert "is damaged" in refused(path)


def test_a_stop_in_the_middle_leaves_no_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_zip(Path("my.zip"), PICTURES)
    whole, read = Member.pieces, []

    def pieces(member: Member) -> Iterator[bytes]:
        read.append(member)
        if len(read) == 2:
            raise KeyboardInterrupt
        return whole(member)

    with monkeypatch.context() as patch:
        patch.setattr(Member, "pieces", pieces)
        with pytest.raises(KeyboardInterrupt):
            unpack(path)
    assert list(HOME.iterdir()) == []
    assert (unpack(path) / "dog" / "deep" / "3.jpg").read_bytes() == b"three"


def test_the_dirty_archive_is_refused_for_the_link_in_it(shared_data: Callable[[str], Path]) -> None:
    with pytest.raises(WinnowError, match=r"'dirty_images/train/golf_ball/linked\.jpg' is a link"):
        unpack(shared_data("dirty/dirty_images.zip"))
