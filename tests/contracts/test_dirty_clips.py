"""A folder of clips with every fault planted on purpose: kept, mended or left out, and each named for its reason."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.core.stage_settings import stage_settings
from components.datasets.quarantine import read_losses, read_quarantine
from pipelines.inline import run_stages
from tests.clips import RATE, tone, wav_bytes

NOISE = np.random.default_rng(1)


def _sound(seed: int, kind: int = 0, rate: int = RATE) -> np.ndarray:
    return tone(kind, seed % 6, np.random.default_rng(seed), rate)


def _with(content: bytes, place: int, form: str, value: int) -> bytes:
    return content[:place] + struct.pack(form, value) + content[place + struct.calcsize(form) :]


PLANTED = {  # file -> its content, and what is said: of kept ones a sentence of all losses, of others the reason
    "kept/rate 44100, two channels.wav": (wav_bytes(np.stack([_sound(1, 1, 44100)] * 2, 1), 44100), None),
    "kept/FLAC of 24 bits.flac": (wav_bytes(_sound(2, 1), form="FLAC", subtype="PCM_24"), None),
    "kept/OGG.ogg": (wav_bytes(_sound(3, 1), form="OGG", subtype="VORBIS"), None),
    "kept/floats.wav": (wav_bytes(_sound(4, 1), subtype="FLOAT"), None),
    "kept/clipped.wav": (wav_bytes(np.clip(20 * _sound(5), -0.9, 0.9)), "clips are clipped, flat at their loudest"),
    "kept/offset.wav": (wav_bytes(_sound(6) + 0.2), "clips do not swing around 0"),
    "kept/long.wav": (wav_bytes(np.concatenate([_sound(seed, 1) for seed in range(20, 24)])), "clips are longer than"),
    "kept/low rate.wav": (wav_bytes(_sound(8, 1, 4000), 4000), "clips have fewer samples a second"),
    "kept/never closed.wav": (_with(wav_bytes(_sound(9)), 40, "<I", 0), "clips have a header that lies about"),
    "kept/short length.wav": (_with(wav_bytes(_sound(10)), 40, "<I", 3000), "clips have a header that lies about"),
    "kept/wrong speed.wav": (
        _with(wav_bytes(_sound(11)), 28, "<I", 99),
        "clips have a header whose numbers contradict",
    ),
    "kept/antiphase.wav": (wav_bytes(np.stack([_sound(12), -_sound(12)], 1)), "clips have channels that cancel"),
    "kept/silence.wav": (wav_bytes(np.zeros(2000)), "1 blank clip, the same all over"),
    "gone/cut off.wav": (wav_bytes(_sound(13))[:1500], "cut off: its header says"),
    "gone/cut off.flac": (wav_bytes(_sound(14), form="FLAC")[:1500], "damaged|cut off"),
    "gone/empty.wav": (b"", "no sound file"),
    "gone/no samples.wav": (wav_bytes(np.zeros(0)), "without sound in it"),
    "gone/a page.wav": (b"<html>404</html>", "no sound file"),
    "gone/no channels.wav": (_with(wav_bytes(_sound(15)), 22, "<H", 0), "0 channels"),
    "gone/contradicts.wav": (_with(wav_bytes(_sound(16)), 32, "<H", 3), "contradicts itself"),
    "gone/nan.wav": (wav_bytes(np.where(np.arange(2000) == 5, np.nan, 0.1), subtype="FLOAT"), "NaN or infinite"),
    "gone/phone.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(99), "an M4A or MP4 file"),
    "gone/notes.txt": (b"take two", "a .txt file beside the samples"),
    "gone/twin.wav": (wav_bytes(_sound(2, 0)), "the same clip"),
    "kept/original.wav": (wav_bytes(_sound(2, 0)), None),
}


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Manifest, what was left out by name, and the sentences on what of the others is odd."""
    home = tmp_path_factory.mktemp("dirty")
    for path, (content, _) in PLANTED.items():
        folder = "a" if "twin" in path or "original" in path else "ab"[len(path) % 2]
        place = home / "clips" / folder / Path(path).name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    softer = wav_bytes(0.4 * _sound(2, 0))
    (home / "clips/a/softer.wav").write_bytes(softer)
    modality = {"name": "speech", "sample_rate": RATE, "seconds": 1.0}
    params = {"ingest": {"source": str(home / "clips"), "modality": modality}, "seed": 0, "threads": 1}
    stage_settings("ingest", params)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        run_stages(["ingest"], home, params)
    data = home / "data/ingest"
    manifest = pd.read_parquet(data / "manifest.parquet")
    for frame in (manifest, left := read_quarantine(data / "quarantine.parquet")):
        frame["name"] = frame["path"].map(lambda path: Path(path).name)
    return manifest, left, read_losses(data / "quarantine.parquet")


@pytest.mark.parametrize("path", list(PLANTED))
def test_a_planted_fault_is_kept_mended_or_left_out_and_named(
    ingested: tuple[pd.DataFrame, pd.DataFrame, list[str]], path: str
) -> None:
    manifest, left, losses = ingested
    kept, name = path.startswith("kept/"), Path(path).name
    _, said = PLANTED[path]
    assert (name in set(manifest["name"])) == kept
    assert (name in set(left["name"])) != kept
    if kept and said:
        assert any(said in sentence or said in sentence.replace("is", "are") for sentence in losses), losses
    if not kept:
        reason = left.set_index("name").loc[name, "reason"]
        assert any(part in reason for part in str(said).split("|")), reason


def test_a_softer_copy_is_of_the_originals_group(ingested: tuple[pd.DataFrame, pd.DataFrame, list[str]]) -> None:
    manifest = ingested[0].set_index("name")
    assert manifest.loc["softer.wav", "group"] == manifest.loc["original.wav", "group"]
    assert manifest["group"].value_counts().iloc[0] == 2
