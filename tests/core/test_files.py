"""Files are whole or absent."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.core.files import move, replacing, sha256, write_text

ROOT = Path(__file__).resolve().parents[2]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half() -> None:
        with replacing(path) as aside:
            aside.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def crash(*arguments: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(OSError, match="no space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom components.core.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as aside:\n    aside.write_text('half')\n    os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"


def test_a_write_cut_short_by_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=rf"File too large: '{path}'"):
            write_text(path, "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders that no rename crosses."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    rename = os.replace

    def within(source: Path, target: Path) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
        rename(source, target)

    monkeypatch.setattr(os, "replace", within)
    monkeypatch.setattr(Path, "replace", within)
    return here, there


def test_a_file_goes_to_another_mount_in_place_of_the_one_there(mounts: tuple[Path, Path]) -> None:
    here, there = mounts
    (here / "a.txt").write_text("new")
    (there / "a.txt").write_text("old")
    move(here / "a.txt", there / "a.txt")
    assert (there / "a.txt").read_text() == "new"
    assert [*here.iterdir(), *there.iterdir()] == [there / "a.txt"]


def test_a_folder_goes_to_another_mount_in_place_of_the_one_there(mounts: tuple[Path, Path]) -> None:
    here, there = mounts
    for home, name in ((here, "new"), (there, "old")):
        (home / "docs" / "deep").mkdir(parents=True)
        (home / "docs" / "deep" / name).write_text(name)
    move(here / "docs", there / "docs")
    assert [path.name for path in there.rglob("*")] == ["docs", "deep", "new"]
    assert list(here.iterdir()) == []


def test_a_move_to_another_mount_that_fails_leaves_the_old_file(
    mounts: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = mounts
    (here / "a.txt").write_text("new")
    (there / "a.txt").write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        move(here / "a.txt", there / "a.txt")
    assert (there / "a.txt").read_text() == "old"
    assert [path.name for path in (*here.iterdir(), *there.iterdir())] == ["a.txt", "a.txt"]


def test_the_temporary_file_keeps_the_ending(tmp_path: Path) -> None:
    with replacing(tmp_path / "deep" / "a.npy") as aside:
        assert aside.suffix == ".npy"
        aside.write_bytes(b"x")
    assert (tmp_path / "deep" / "a.npy").read_bytes() == b"x"


def test_the_digest_of_a_file_is_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_digest_of_a_folder_sees_names_and_contents_but_not_bytecode(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = sha256(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("1")
    assert sha256(tmp_path) == first
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = sha256(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, renamed, sha256(tmp_path)}) == 3
