"""`winnow clips FOLDER`: all settings that suit clips of speech, written into params.yaml at once."""

import sys
from pathlib import Path
from typing import Any

from components.core.config import block, read_params, validated
from components.core.errors import WinnowError
from components.datasets.sources import Columns, Item, Source, open_source
from components.datasets.sources.clips import TABLES, Clips
from components.datasets.together import Group
from components.modalities.speech import Speech
from pipelines.own_pictures import Given, place_for, settle
from pipelines.photos import STEPPED

VIEW: dict[str, Any] = {
    "crop": [0.7, 1.0],
    "gain": 6.0,
    "equalizer": 6.0,
    "noise": 1.0,
    "tempo": 0.2,
    "warp": 0.15,
    "time_mask": 0.15,
    "band_mask": 0.15,
}
POLICIES: dict[str, dict[str, Any]] = {
    "weak": {"crop": [0.9, 1.0], "gain": 6.0, "tempo": 0.1, "warp": 0.05},
    "view": VIEW,
    "strong": {**VIEW, "crop": [0.6, 1.0], "time_mask": 0.2, "band_mask": 0.2},
}
METHOD, ENCODER = {"name": "simclr"}, {"name": "mel_network"}
STEPS, BATCH, FEWEST, MOST_EPOCHS = 600, 256, 32, 100  # of SimCLR: clips of a batch, at most and at least
RATE = 0.002
FLOOR = 45.0  # decibels: below is what rooms and recorders add
SPREAD = {"name": "label_spreading"}  # a clip's neighbors are often of several classes
THRESHOLD = 0.4  # of its probabilities, which are flat
ORIGINS = ("speaker", "speaker_id", "client_id", "person", "voice")  # columns that say whose voice it is
NAMED = 12  # classes that are said


def choose_for_clips(
    source: str, *, budget: int, rate: int, seconds: float, speaker: str | None, columns: dict[str, Any]
) -> None:
    """Write them, and say each; then `winnow repro` runs.

    budget: labels that the source may give; rate, seconds: of what is kept; speaker: a column of the table, or a
    pattern of paths with the speaker in brackets; columns: of a table, which hold what.
    Raises WinnowError, and writes nothing, for a source that cannot be read and for a value that cannot be.
    """
    place = place_for(_source(source), Speech)
    clips = _opened(place, columns)
    group = _group(speaker, clips)
    count = sum(isinstance(one, Item) for one in clips.items())
    if not count:
        raise WinnowError(
            f"{source} holds no clips: name a folder of WAV, FLAC, OGG or MP3 files, one folder per class."
        )
    asked = {**_asked(count), **_of_source(place, columns, group, rate, seconds), ("label", "budget"): budget}
    before = block(read_params(), "ingest")
    out = [("ingest", name) for name in ("columns", "group") if ("ingest", name) not in asked and name in before]
    settle(asked, [*out, ("pretrain", "weights"), *(("finetune", name) for name in STEPPED)])
    clips = _opened(place, columns, group.get("column") if group else None)
    for sentence in clips.notices():
        print(f"winnow: {sentence}", file=sys.stderr)
    classes = clips.classes()
    named = f"{', '.join(classes[:NAMED])}{', ...' if len(classes) > NAMED else '.'}"
    print(f"winnow: {count:,} clips, {len(classes)} classes: {named}", file=sys.stderr)
    if not group:
        print(
            "winnow: nothing says whose voice a clip is: `--speaker` names a column or a pattern of paths, so that no "
            "speaker is both trained on and tested on.",
            file=sys.stderr,
        )
    print("Now `winnow repro`.")


def _asked(count: int) -> Given:
    """What suits so many clips."""
    batch = max(FEWEST, min(BATCH, count // 8))
    return {
        ("augment", "policies"): POLICIES,
        ("pretrain", "method"): METHOD,
        ("pretrain", "encoder"): ENCODER,
        ("pretrain", "epochs"): max(1, min(MOST_EPOCHS, round(STEPS * batch / count))),
        ("pretrain", "batch_size"): batch,
        ("pretrain", "learning_rate"): RATE,
        ("pseudo_label", "method"): SPREAD,
        ("pseudo_label", "threshold"): THRESHOLD,
        ("finetune", "method"): {"name": "linear_probe"},
        ("finetune", "second_control"): "off",  # whole speakers held out leave too few labels to choose by
    }


def _of_source(place: str, columns: dict[str, Any], group: dict[str, str] | None, rate: int, seconds: float) -> Given:
    return {
        ("ingest", "source"): place,
        ("ingest", "modality"): {"name": "speech", "sample_rate": rate, "seconds": seconds, "floor": FLOOR},
        **({("ingest", "columns"): columns} if columns else {}),
        **({("ingest", "group"): group} if group else {}),
    }


def _source(source: str) -> str:
    """A folder with a table in it, or a table, is read by that."""
    place = Path(source).expanduser()
    table = place.is_file() and place.suffix.casefold() in (".csv", ".tsv", ".jsonl", ".parquet")
    return f"clips:{place}" if table or any((place / name).is_file() for name in TABLES) else source


def _opened(place: str, columns: dict[str, Any], origin: str | None = None) -> Source:
    named = Columns.model_validate(columns) if columns else None
    kind, suffixes = Speech.gives, Speech.suffixes
    clips = open_source(place, root=Path(), download=False, columns=named, origin=origin, suffixes=suffixes, kind=kind)
    if columns and "columns" not in clips.uses:
        raise WinnowError(f"{place} is no table, so it has no columns: leave out --{', --'.join(columns)}.")
    return clips


def _group(speaker: str | None, clips: Source) -> dict[str, str] | None:
    """What says whose voice a clip is: as asked, else a column of a usual name. '': nothing does."""
    names = clips.column_names() if isinstance(clips, Clips) else []
    if speaker is None:
        found = next((name for name in names if name.casefold() in ORIGINS), None)
        return {"column": found} if found else None
    if not speaker:
        return None
    group = {"column" if speaker in names else "pattern": speaker}
    validated(Group, group, where="--speaker")
    return group
