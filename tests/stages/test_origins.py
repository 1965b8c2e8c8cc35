"""A speaker is trained on or tested on: by the hash of the name, or as the source says, which may be a leak."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.core.errors import Refused, WinnowError
from components.datasets.quarantine import read_quarantine
from pipelines.inline import run_stages
from tests.clips import CLASSES, RATE, SPEAKERS, tone, wav_bytes, write_clips

PATTERN = {"pattern": "_([a-z]+)_"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _run(stages: list[str], **changes: Any) -> pd.DataFrame:
    modality = {"name": "speech", "sample_rate": RATE, "seconds": 0.5}
    ingest = {"source": "recordings", "modality": modality, "near_duplicates": "exact", **changes}
    run_stages(stages, Path(), {"ingest": ingest, "validate": {"min_test": 1}, "seed": 0, "threads": 1})
    return pd.read_parquet("data/ingest/manifest.parquet")


def test_every_speaker_is_on_one_side() -> None:
    write_clips(Path("recordings"), 54)
    manifest = _run(["ingest"], group=PATTERN, test_fraction=0.3)
    assert set(manifest["together"]) == set(SPEAKERS)
    assert manifest.groupby("together")["split"].nunique().max() == 1
    assert set(manifest["split"]) == {"train", "test"}


def test_without_a_group_nothing_is_said_of_origins() -> None:
    write_clips(Path("recordings"), 18)
    assert "together" not in _run(["ingest"])


def test_a_pattern_that_fits_no_path_is_refused() -> None:
    write_clips(Path("recordings"), 18)
    with pytest.raises(WinnowError, match=r"ingest\.group: 18 of 18 samples have no origin"):
        _run(["ingest"], group={"pattern": "speaker=([a-z]+)"})


def test_a_speaker_on_both_sides_is_a_leak_that_stops_the_run_or_is_left_out() -> None:
    draw = np.random.default_rng(0)
    for number, (split, speaker) in enumerate([("train", 0), ("train", 1), ("test", 1), ("test", 2)] * 6):
        path = Path("recordings", split, CLASSES[number // 4 % 3], f"{number}_{SPEAKERS[speaker]}_.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(tone(number // 4 % 3, speaker, draw)))
    with pytest.raises(Refused, match=r"No origin \(ingest.group\) is in both splits.* group ben, path train/"):
        _run(["ingest", "validate"], group=PATTERN)
    manifest = _run(["ingest"], group=PATTERN, leaks="drop")
    assert set(manifest.loc[manifest["split"] == "train", "together"]) == {"ada"}
    left = read_quarantine(Path("data/ingest/quarantine.parquet"))
    assert (left["kind"] == "leak").sum() == 6
    assert "samples of the same origin 'ben'" in left["reason"].iloc[0]
