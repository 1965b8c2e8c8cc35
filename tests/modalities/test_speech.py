"""Clips: from files of any format, rate and channels to records, each fault named, and to views that chance repeats."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from components.datasets.near_duplicates import near_duplicate_groups
from components.datasets.records import Unreadable
from components.datasets.sample_store import ANY, About, Store
from components.modalities.speech import Speech
from components.modalities.speech.log_mel import log_mel, mel_filters
from components.modalities.speech.policy import Policy
from components.modalities.speech.speech_config import SpeechConfig
from components.modalities.speech.vocoder import stretched
from tests.clips import RATE, records_of, tone, wav_bytes

KIND = Speech(Speech.Config(sample_rate=RATE, seconds=1.0))
WAVES = Speech(Speech.Config(sample_rate=RATE, seconds=1.0, views="wave"))
RECORDS, KINDS = records_of(12)
SINE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE // 2) / RATE)).astype(np.float32)
EVERYTHING = Policy(
    crop=(0.7, 1.0),
    gain=6,
    equalizer=6,
    noise=0.5,
    pitch=3,
    stretch=0.2,
    speed=0.1,
    mix=0.5,
    tempo=0.2,
    warp=0.1,
    time_mask=0.2,
    band_mask=0.2,
)


def _header(content: bytes, place: int, form: str, value: int) -> bytes:
    return content[:place] + struct.pack(form, value) + content[place + struct.calcsize(form) :]


def _peak(wave: npt.NDArray[Any], rate: int = RATE) -> float:
    return float(np.abs(np.fft.rfft(wave)).argmax() * rate / len(wave))


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")],
)
def test_usual_formats_are_read(form: str, subtype: str) -> None:
    found = KIND.read(wav_bytes(SINE, form=form, subtype=subtype))
    assert found.facts == {"rate": RATE, "channels": 1, "seconds": 0.5}
    assert _peak(found.values) == pytest.approx(440, abs=4)
    assert found.lost == ()


def test_sixteen_bits_at_the_same_rate_are_kept_to_the_bit() -> None:
    record = RECORDS[0]
    assert np.array_equal(KIND.read(wav_bytes(record)).values, record)
    assert np.array_equal(KIND.read(KIND.to_file(record)).values, record)


@pytest.mark.parametrize("rate", [4000, 11025, 44100, 48000])
def test_any_rate_and_number_of_channels_becomes_the_rate_asked_for(rate: int) -> None:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate // 2) / rate)
    found = KIND.read(wav_bytes(np.stack([wave, wave, 0 * wave], 1), rate))
    assert found.facts["rate"] == rate
    assert len(found.values) == pytest.approx(RATE / 2, abs=2)
    assert _peak(found.values) == pytest.approx(440, abs=4)
    assert ("rate" in found.lost) == (rate < RATE)


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (wav_bytes(np.clip(3 * SINE, -0.5, 0.5)), "clipped"),
        (wav_bytes(SINE + 0.2), "offset"),
        (wav_bytes(np.tile(SINE, 4)), "cut"),
        (wav_bytes(np.stack([SINE, -SINE], 1)), "phase"),
        (_header(wav_bytes(SINE), 40, "<I", 0), "length"),
        (_header(wav_bytes(SINE), 40, "<I", 0xFFFFFFFF), "length"),
        (_header(wav_bytes(SINE), 40, "<I", 2000), "length"),
        (_header(wav_bytes(SINE), 28, "<I", 12345), "header"),
    ],
)
def test_what_is_odd_is_named(content: bytes, lost: str) -> None:
    found = KIND.read(content)
    assert found.lost == (lost,)
    assert lost in KIND.losses


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_an_open_length_is_read_to_the_end(size: int) -> None:
    assert len(KIND.read(_header(wav_bytes(SINE), 40, "<I", size)).values) == len(SINE)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no sound file"),
        (b"<html>not found</html>" * 9, "no sound file"),
        (wav_bytes(SINE)[:2000], "cut off: its header says 8,000 bytes"),
        (wav_bytes(SINE)[:40], "without sound"),
        (wav_bytes(SINE[:0]), "without sound"),
        (wav_bytes(SINE, form="FLAC")[:2000], "cut off|damaged"),
        (_header(wav_bytes(SINE), 22, "<H", 0), "0 channels"),
        (_header(wav_bytes(SINE), 32, "<H", 7), "contradicts itself"),
        (wav_bytes(np.where(np.arange(4000) == 7, np.nan, SINE), subtype="FLOAT"), "NaN"),
        (wav_bytes(np.where(np.arange(4000) == 7, np.inf, SINE), subtype="DOUBLE"), "NaN"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        KIND.read(content)


def test_formats_that_are_not_read_are_named() -> None:
    assert "M4A" in KIND.unread_format(b"\0\0\0\x20ftypM4A ")
    assert KIND.unread_format(wav_bytes(SINE)) == ""


def test_silence_is_blank_and_may_be_trimmed() -> None:
    quiet = np.zeros(RATE // 4, np.float32)
    assert KIND.blank(KIND.read(wav_bytes(quiet)).values)
    assert not KIND.blank(RECORDS[0])
    trim = Speech(Speech.Config(sample_rate=RATE, silence="trim"))
    found = trim.read(wav_bytes(np.concatenate([quiet, SINE, quiet])))
    assert len(SINE) <= len(found.values) <= len(SINE) + 0.15 * RATE


def test_bands_are_on_the_mel_scale_and_a_tone_is_in_its_band() -> None:
    config = SpeechConfig(sample_rate=RATE)
    filters = mel_filters(40, 256, RATE)
    assert (filters.sum(1) > 0).all()
    frames = log_mel(torch.from_numpy(SINE)[None], config)[0]
    loudest = int(frames.mean(1).argmax())
    assert filters[loudest].argmax() * RATE / 256 == pytest.approx(440, abs=60)
    assert frames.amax() - frames.amin() <= 80.01


@pytest.mark.parametrize("kind", [KIND, WAVES])
def test_views_depend_on_the_clip_its_key_and_the_seed_alone(kind: Speech) -> None:
    policy = EVERYTHING if kind is KIND else EVERYTHING.model_copy(update={"tempo": 0, "warp": 0, "band_mask": 0})
    rows = np.arange(12)
    kind = kind.with_material(kind.gather([policy], RECORDS, rows, []))  # type: ignore[assignment]
    look, records = kind.view(policy, kind.measure(RECORDS, rows)), torch.from_numpy(RECORDS)
    views = look(records, rows, 7)
    torch.testing.assert_close(look(records[3:5], rows[3:5], 7), views[3:5], atol=1e-3, rtol=1e-3)
    longer = look(torch.nn.functional.pad(records, (0, 1000)), rows, 7)
    torch.testing.assert_close(longer[..., : views.shape[-1]], views, atol=1e-2, rtol=1e-2)
    assert (longer[..., views.shape[-1] :] == 0).all()
    assert not torch.equal(look(records, rows, 8), views)


@pytest.mark.parametrize("kind", [KIND, WAVES])
def test_a_policy_that_changes_nothing_shows_the_clip_plainly(kind: Speech) -> None:
    statistics, records = kind.measure(RECORDS, np.arange(12)), torch.from_numpy(RECORDS)
    plain = kind.plain(statistics)(records)
    torch.testing.assert_close(kind.view(Policy(), statistics)(records, np.arange(12), 0), plain)
    assert plain.shape[1:] <= kind.input(statistics).shape


def test_frames_of_training_clips_have_mean_0_and_deviation_1() -> None:
    statistics = KIND.measure(RECORDS, np.arange(12))
    frames = KIND.plain(statistics)(torch.from_numpy(RECORDS))
    inside = (frames != 0).any(1)
    own = frames.transpose(1, 2)[inside]
    torch.testing.assert_close(own.mean(0), torch.zeros(40), atol=1e-3, rtol=0)
    torch.testing.assert_close(own.std(0), torch.ones(40), atol=1e-2, rtol=0)


def test_louder_is_the_same() -> None:
    statistics = KIND.measure(RECORDS, np.arange(12))
    quiet, loud = (KIND.plain(statistics)(torch.from_numpy(RECORDS // 8 * factor)) for factor in (1, 4))
    torch.testing.assert_close(quiet, loud, atol=0.02, rtol=0)


@pytest.mark.parametrize("rate", [0.7, 0.9, 1.2, 1.5])
def test_the_vocoder_changes_the_length_and_not_the_pitch(rate: float) -> None:
    config = SpeechConfig(sample_rate=RATE)
    found = stretched(torch.from_numpy(SINE)[None], rate, config)[0].numpy()
    assert len(found) == pytest.approx(len(SINE) / rate, abs=1)
    assert _peak(found) == pytest.approx(440, abs=6)
    assert np.abs(found[500:-1000]).max() == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize(
    ("setting", "moves", "shortens"), [("pitch", True, False), ("stretch", False, True), ("speed", True, True)]
)
def test_pitch_and_tempo_move_as_they_should(setting: str, *, moves: bool, shortens: bool) -> None:
    records = torch.from_numpy(np.rint(np.tile(SINE, (16, 1)) * 32768).astype(np.int16))
    policy = Policy.model_validate({setting: 6 if setting == "pitch" else 0.4})
    views = WAVES.view(policy, {"mean": [], "std": []})(records, np.arange(16), 1).numpy()
    lengths = [int(np.flatnonzero(view)[-1]) for view in views]
    pitches = [_peak(view[:length]) for view, length in zip(views, lengths, strict=True)]
    assert (max(pitches) > 500 and min(pitches) < 400) == moves
    assert (min(lengths) < 0.9 * len(SINE)) == shortens
    assert max(lengths) <= len(SINE)


def _groups(records: list[npt.NDArray[np.int16]]) -> list[int]:
    flat = np.concatenate(records)
    about = About(modality=KIND.choice, dtype="int16", shape=(ANY,))
    store = Store(about, flat, np.concatenate([[0], np.cumsum([len(one) for one in records])]))
    prints = KIND.fingerprints(records)
    return near_duplicate_groups(prints, store, np.arange(len(records)), KIND.alike).tolist()


def test_copies_in_another_format_rate_or_loudness_are_one_group_and_other_recordings_are_not() -> None:
    draw = np.random.default_rng(3)
    one, other = tone(1, 0, draw), tone(0, 3, draw)
    quiet = np.zeros(800, np.float32)
    copies = [
        wav_bytes(one),
        wav_bytes(one, form="MP3", subtype="MPEG_LAYER_III"),
        wav_bytes(0.3 * one),
        wav_bytes(np.concatenate([quiet, one, quiet])),
        wav_bytes(other),
    ]
    groups = _groups([KIND.read(content).values for content in copies])
    assert groups == [groups[0]] * 4 + [groups[4]]
    assert groups[4] != groups[0]


def test_what_is_shown_plays_and_is_escaped() -> None:
    page = KIND.show(RECORDS[0], caption='"><script>alert(1)</script>')
    assert page.count("data:audio/wav;base64,") == 1
    assert "<script" not in page
    assert KIND.tile(RECORDS[0]).shape == (32, 32, 3)


def test_clients_send_the_rate_in_front_of_the_samples() -> None:
    rows = KIND.to_client(RECORDS)
    assert np.array_equal(KIND.from_client(rows), RECORDS)
    double = np.concatenate([[16000], np.repeat(SINE, 2)])[None]
    assert KIND.from_client(double).shape[1] == len(SINE)


@pytest.mark.parametrize(
    ("row", "why"), [([0.1, 0.2], "put the rate in front"), ([8000, 2.0], "from -1 to 1"), ([8000, 0, 0], "no sound")]
)
def test_rows_that_are_no_clip_are_refused(row: list[float], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        KIND.from_client(np.array([row], np.float32))


def test_sound_made_from_frames_has_the_pitch_it_had() -> None:
    kind = Speech(Speech.Config.model_validate({"sample_rate": RATE, "seconds": 1.0, "mean": "training"}))
    records = np.concatenate(
        [RECORDS[:, : len(SINE)], np.rint(SINE * 32768).astype(np.int16)[None][:, : RECORDS.shape[1]]]
    )
    statistics = kind.measure(records, np.arange(len(records)))
    made = kind.restore(kind.plain(statistics)(torch.from_numpy(records[-1:])), statistics)
    assert made.dtype == np.int16
    assert _peak(made[0]) == pytest.approx(440, abs=60)


@pytest.mark.parametrize(
    "statistics",
    [
        {},
        {"std": [1.0] * 40},
        {"mean": [], "std": [1.0]},
        {"mean": [], "std": [0.0] * 40},
        {"mean": [0.0], "std": [1.0] * 40},
    ],
)
def test_statistics_that_cannot_be_are_refused(statistics: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"mean|std"):
        KIND.check(statistics)


def test_a_tone_that_stays_is_seen_where_its_mean_is_not_taken_out() -> None:
    time = np.arange(RATE // 2) / RATE
    tones = [np.rint(9000 * np.sin(2 * np.pi * hertz * time)) for hertz in (300, 600)]
    records = np.stack(tones * 4).astype(np.int16)
    seen = []
    for mean in ("clip", "training"):
        kind = Speech(Speech.Config.model_validate({"sample_rate": RATE, "seconds": 1.0, "mean": mean}))
        frames = kind.plain(kind.measure(records, np.arange(8)))(torch.from_numpy(records))[:2, :, 10:40].mean(2)
        seen.append(float((frames[0] - frames[1]).norm()))
    assert seen[0] < 2 < 5 < seen[1]
