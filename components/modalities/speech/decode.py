"""From a file of any format, rate and number of channels to the samples that are kept, with what was odd about it."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.datasets.records import Unreadable
from components.modalities.speech.riff import check_wave, is_wave
from components.modalities.speech.speech_config import SpeechConfig

if TYPE_CHECKING:
    import soundfile

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MPEG", "MP3")
RATES = (1_000, 768_000)
BLOCK = 65_536  # frames at a time
SEARCHED = 600.0  # seconds in which the sound begins, where silence is trimmed
QUIET = 33  # of 32,768: 60 decibels below the loudest there can be
FLAT, CLIPPED = 3, 0.001  # samples in a row at the very peak, and the share of such from which a clip is clipped
OFFSET = 0.005  # of the samples' mean; sound swings around 0
MARGIN, STEP, BELOW = 0.05, 0.01, 40.0  # of trimming: seconds left, seconds looked at, decibels below the peak

LOSSES = {  # name -> what is said of so many clips, and the cure
    "cut": "are longer than ingest.modality.seconds, and only their beginning is kept: raise it, or name segments",
    "clipped": "are clipped, flat at their loudest: record them anew with less gain, where that matters",
    "offset": "do not swing around 0 (a DC offset), which was taken out: check the recorder",
    "length": "have a header that lies about their length: save them anew, and see that nothing is missing",
    "header": "have a header whose numbers contradict each other, and may play at a wrong speed: listen to one",
    "phase": "have channels that cancel each other, so one of them was taken: check the cables",
    "rate": "have fewer samples a second than ingest.modality.sample_rate, so its upper part is empty: lower it",
}


@dataclass(frozen=True)
class Kept:
    """samples `(L,)` at the rate asked for; lost: names of `LOSSES`."""

    samples: Samples
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Sound:
    """samples `(L,)` at the rate asked for; rate, channels and seconds of the file; lost: names of `LOSSES`."""

    samples: Samples
    rate: int
    channels: int
    seconds: float
    lost: tuple[str, ...]


def decode(content: bytes, config: SpeechConfig) -> Sound:
    """Raises Unreadable, saying why, for what is no sound, is damaged or holds numbers that are none."""
    import soundfile

    checked = check_wave(content) if is_wave(content) else None
    if checked:
        content = checked.content
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if file.format not in FORMATS:
                raise Unreadable(f"a {file.format} file, which is not read: save it as WAV or FLAC.")
            return _read(file, config, checked.lost if checked else ())
    except soundfile.LibsndfileError as error:
        if "unknown format" in str(error).casefold() or "not recognised" in str(error).casefold():
            raise Unreadable("no sound file.", "no_picture") from None
        raise Unreadable(f"damaged ({_plain(str(error))}): copy or save it anew.") from None


def _read(file: "soundfile.SoundFile", config: SpeechConfig, odd: tuple[str, ...]) -> Sound:
    rate, channels, frames = file.samplerate, file.channels, file.frames
    if not RATES[0] <= rate <= RATES[1]:
        raise Unreadable(f"{rate:,} samples a second: between {RATES[0]:,} and {RATES[1]:,} are read.")
    wanted = config.seconds if config.silence == "keep" else max(SEARCHED, config.seconds)
    wave, other = _mixed(file, min(frames, int(np.ceil(wanted * rate)) + 1))
    if not len(wave):
        raise Unreadable("no sound in it: it ends before it begins.")
    if len(wave) < min(frames, int(wanted * rate)):
        raise Unreadable(f"cut off: {frames:,} samples are promised, and {len(wave):,} are there: copy it again.")
    kept = kept_of(wave, rate, config)
    return Sound(kept.samples, rate, channels, frames / rate, (*odd, *other, *kept.lost))


def kept_of(wave: Floats, rate: int, config: SpeechConfig) -> Kept:
    """Of samples `(L,)` in -1..1, of one channel, what the settings keep."""
    lost = ["clipped"] if _is_clipped(wave) else []
    mean = float(wave.mean(dtype=np.float64))
    if abs(mean) > OFFSET:
        wave, lost = wave - np.float32(mean), [*lost, "offset"]
    if config.silence == "trim":
        wave = _trimmed(wave, rate)
    if rate != config.sample_rate:
        lost += ["rate"] if rate < config.sample_rate else []
        wave = _at_rate(wave, rate, config.sample_rate)
    if len(wave) > config.longest:
        wave, lost = wave[: config.longest], [*lost, "cut"]
    return Kept(np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16), tuple(lost))


def memory_needed(size: int, config: SpeechConfig) -> int:
    """Bytes that reading a file of so many takes: one channel of what is looked at, and a block of all channels.

    A compressed file may hold any number of samples; no more than that are decoded.
    """
    wanted = config.seconds if config.silence == "keep" else max(SEARCHED, config.seconds)
    return min(64 * size, 16 * round(wanted * 48_000)) + 16 * BLOCK


def _mixed(file: "soundfile.SoundFile", frames: int) -> tuple[Floats, list[str]]:
    """At most so many frames as one channel, the mean of all; the loudest where they cancel each other."""
    blocks, powers = [], np.zeros(file.channels)
    loudest: list[Floats] = []
    while frames > 0:
        block = file.read(min(BLOCK, frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        if not np.isfinite(block).all():
            raise Unreadable("numbers in it that are none (NaN or infinite): make it again.")
        frames -= len(block)
        blocks.append(block.mean(1))
        powers += np.square(block, dtype=np.float64).sum(0)
        loudest.append(block[:, int(powers.argmax())])
    mean = np.concatenate(blocks) if blocks else np.empty(0, np.float32)
    if file.channels > 1 and powers.max() > 100 * float(np.square(mean, dtype=np.float64).sum()):
        return np.concatenate(loudest), ["phase"]
    return mean, []


def _is_clipped(wave: Floats) -> bool:
    """Whether many samples are, several in a row, as loud as the loudest."""
    sizes = np.abs(wave)
    peak = sizes.max()
    if peak < 0.05:
        return False
    at_peak = (sizes >= peak * (1 - 2.0**-12)).astype(np.int8)
    edges = np.flatnonzero(np.diff(at_peak, prepend=0, append=0))
    runs = edges[1::2] - edges[::2]
    return bool(runs[runs >= FLAT].sum() > CLIPPED * len(wave))


def _trimmed(wave: Floats, rate: int) -> Floats:
    """Without what is before and after the sound; all of it where there is none."""
    step = max(1, round(STEP * rate))
    count = -(-len(wave) // step)
    power = np.square(np.pad(wave, (0, count * step - len(wave)))).reshape(count, step).mean(1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-BELOW / 10))
    if not len(loud):
        return wave
    margin = round(MARGIN * rate)
    return wave[max(0, int(loud[0]) * step - margin) : (int(loud[-1]) + 1) * step + margin]


def _at_rate(wave: Floats, rate: int, wanted: int) -> Floats:
    import soxr

    found: Floats = soxr.resample(wave, rate, wanted)
    return found if len(found) else np.zeros(1, np.float32)


def _plain(error: str) -> str:
    return error.rpartition(": ")[2].strip().rstrip(".")[:80]
