"""A table beside recordings says what each is, or each segment of a long one; what it must not name is left out."""

import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from components.core.errors import WinnowError
from components.datasets.sources import Item, Rejected, Source, open_source, place_of
from components.modalities.speech import Speech
from tests.clips import RATE, SPEAKERS, tone, wav_bytes

KIND = Speech(Speech.Config(sample_rate=RATE, seconds=2.0))


def _table(folder: Path, rows: list[list[str]], names: str = "file_name,label,speaker") -> None:
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names.split(","), *rows])


def _recordings(folder: Path, count: int = 6) -> None:
    draw = np.random.default_rng(0)
    (folder / "wav").mkdir()
    for number in range(count):
        (folder / f"wav/{number}.wav").write_bytes(wav_bytes(tone(number % 3, number % 6, draw)))


def _open(place: Path, origin: str | None = "speaker") -> Source:
    return open_source(
        f"clips:{place}", root=Path(), download=False, suffixes=KIND.suffixes, origin=origin, kind="log_mel"
    )


def test_each_row_says_class_speaker_and_file(tmp_path: Path) -> None:
    _recordings(tmp_path)
    _table(tmp_path, [[f"wav/{number}.wav", f"word {number % 3}", SPEAKERS[number]] for number in range(6)])
    source = _open(tmp_path)
    assert source.classes() == ["word 0", "word 1", "word 2"]
    items = list(source.items())
    assert [one.origin for one in items if isinstance(one, Item)] == list(SPEAKERS)
    assert all(isinstance(one, Item) and one.content == tmp_path / one.path for one in items)
    assert place_of(f"clips:{tmp_path}", Path("elsewhere")) == tmp_path


def test_segments_of_a_long_recording_are_clips(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    sound = np.where(time < 5, np.sin(2 * np.pi * 300 * time), np.sin(2 * np.pi * 900 * time))
    (tmp_path / "long.wav").write_bytes(wav_bytes(0.3 * sound))
    rows = [["long.wav", "1", "2", "low"], ["long.wav", "6.5", "8", "high"], ["long.wav", "9", "", "high"]]
    _table(tmp_path, rows, "file,start,end,label")
    items = [one for one in _open(tmp_path, None).items() if isinstance(one, Item)]
    assert [one.path for one in items] == ["long.wav#1-2", "long.wav#6.5-8", "long.wav#9-"]
    records = [KIND.read(np.asarray(one.content)) for one in items]
    assert [round(len(one.values) / RATE, 2) for one in records] == [1, 1.5, 1]
    peaks = [np.abs(np.fft.rfft(one.values)).argmax() * RATE / len(one.values) for one in records]
    assert peaks == pytest.approx([300, 900, 900], abs=2)


@pytest.mark.parametrize(
    ("row", "kind", "why"),
    [
        (["../secret.wav", "", "", "a"], "unsafe", "outside"),
        (["/etc/passwd", "", "", "a"], "unsafe", "outside"),
        (["link.wav", "", "", "a"], "unsafe", "symbolic link"),
        (["none.wav", "", "", "a"], "unreadable", "it is not there"),
        (["", "", "", "a"], "unreadable", "nothing in row"),
        (["0.wav", "2", "1", "a"], "unreadable", "ends before it begins"),
        (["0.wav", "0", "99", "a"], "unreadable", "a segment to 99 s of a recording of"),
        (["noise.txt", "0", "1", "a"], "unreadable", "damaged"),
    ],
)
def test_what_a_row_must_not_say_is_left_out_with_the_reason(
    tmp_path: Path, row: list[str], kind: str, why: str
) -> None:
    (tmp_path / "0.wav").write_bytes(wav_bytes(tone(0, 0, np.random.default_rng(0))))
    (tmp_path / "noise.txt").write_text("no sound")
    (tmp_path / "link.wav").symlink_to(tmp_path / "0.wav")
    _table(tmp_path, [["0.wav", "", "", "b"], row], "file,start,end,label")
    (found,) = (one for one in _open(tmp_path, None).items() if isinstance(one, Rejected))
    assert (found.kind, why in found.reason) == (kind, True)


@pytest.mark.parametrize(
    ("names", "cells", "why"),
    [
        ("file,start,label", ["0.wav", "soon", "a"], "where seconds belong"),
        ("file,start,label", ["0.wav", "-1", "a"], "where seconds belong"),
    ],
)
def test_what_is_no_time_is_refused(tmp_path: Path, names: str, cells: list[str], why: str) -> None:
    _table(tmp_path, [cells, ["1.wav", "1", "b"]], names)
    with pytest.raises(WinnowError, match=why):
        list(_open(tmp_path, None).items())


def test_a_folder_without_a_table_and_a_column_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match=r"has no metadata\.csv"):
        _open(tmp_path)
    _table(tmp_path, [["0.wav", "a", "b"], ["1.wav", "b", "b"]])
    with pytest.raises(WinnowError, match=r"ingest\.group\.column names 'person', no column of metadata\.csv"):
        _open(tmp_path, "person")
    with pytest.raises(WinnowError, match="is no table: say a pattern of its paths"):
        open_source(str(tmp_path), root=Path(), download=False, origin="speaker")


def test_an_hour_long_recording_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "hour.flac", "w", RATE, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(np.tile(np.float32([0, 0.3, 0, -0.3]), 15 * RATE))
    _table(
        tmp_path,
        [["hour.flac", str(60 * at), str(60 * at + 2), "ab"[at % 2]] for at in range(60)],
        "file,start,end,label",
    )
    source = _open(tmp_path, None)
    assert source.classes() == ["a", "b"]
    tracemalloc.start()
    count = sum(
        len(KIND.read(np.asarray(one.content)).values) == 2 * RATE for one in source.items() if isinstance(one, Item)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60
    assert peak < 3_000_000
