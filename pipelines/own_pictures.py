"""`--source FOLDER` and what goes with it: settings for own pictures, checked, then kept in params.yaml."""

import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from components.core import plain_yaml, plugins
from components.core.config import block, read_params
from components.core.errors import WinnowError
from components.core.files import write_text
from components.core.lock import held
from components.core.stage_settings import stage_settings
from components.datasets.archive import is_archive
from components.datasets.other_files import is_hidden
from components.datasets.sources import place_of, source_class, unused_by
from components.modalities import Modality, build_modality
from pipelines.params_file import with_setting, without_setting

Given = Mapping[tuple[str, str], Any]  # values by block and name
PARAMS = Path("params.yaml")
LOCK = Path(".winnow/repro.lock")
PHOTOS = "`winnow photos FOLDER` chooses what suits photos, and docs/own_pictures.md says why."


def keep(*, source: str | None, image_size: int | None, channels: int | None, budget: int | None) -> None:
    """Write what was given into params.yaml, which every later run reads, and say so.

    Raises WinnowError, and writes nothing, for a folder that cannot be read and for a value that cannot be.
    """
    before = read_params()
    size = {name: value for name, value in (("image_size", image_size), ("channels", channels)) if value is not None}
    kind = plugins.load("modality", str(_modality(before)["name"]), where="ingest.modality")
    place = None if source is None else place_for(source, kind)
    if strange := [name for name in size if name not in kind.Config.model_fields]:
        option = strange[0].replace("_", "-")
        raise WinnowError(
            f"--{option} is for other data than {kind.noun[1]}, which ingest.modality names: leave it out."
        )
    asked = {
        ("ingest", "source"): place,
        ("ingest", "modality"): {**_modality(before), **size} if size else None,
        ("label", "budget"): budget,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if not given:
        return
    settle(given)
    if source is not None and not size and _is_small_and_gray(before):
        print(f"winnow: pictures are stored at 32 x 32 pixels, gray: {PHOTOS}", file=sys.stderr)


def settle(given: Given, out: Collection[tuple[str, str]] = ()) -> None:
    """Write settings, by block and name, into params.yaml, take others out of it, and say so.

    Raises WinnowError, and writes nothing, for a value that cannot be and while a run is at work.
    """
    before = read_params()
    gone = _check(before, given, [name for name in out if name[1] in block(before, name[0])])
    if held(LOCK):
        raise WinnowError("a run is at work in this folder and reads params.yaml: wait for it, then say this again.")
    text = PARAMS.read_bytes().decode("utf-8")
    for (owner, key), value in given.items():
        text = with_setting(text, owner, key, value)
    for owner, key in gone:
        text = without_setting(text, owner, key)
    plain_yaml.load(text, str(PARAMS))  # what every later run would refuse, such as a number too large, is not written
    write_text(PARAMS.resolve(), text)
    for owner, key in gone:
        user = given["ingest", "source"] if owner == "ingest" else f"what is now in {owner}"
        print(f"params.yaml: {owner}.{key} is taken out: {user} has no use for it", file=sys.stderr)
    for (owner, key), value in given.items():
        print(f"params.yaml: {owner}.{key} {change_said(block(before, owner).get(key), value)}", file=sys.stderr)


def _modality(params: dict[str, Any]) -> dict[str, Any]:
    """The kind of data as it is set."""
    return {"name": "image", **(block(params, "ingest").get("modality") or {})}


def place_for(source: str, kind: type[Modality]) -> str:
    """The folder as params.yaml should name it. Raises WinnowError unless samples of this kind may lie there."""
    if not source.strip() or not source.isprintable():
        raise WinnowError(f"--source {source!r} is no name that params.yaml can hold: give the folder a plain name.")
    if source.partition(":")[0] in plugins.names("source"):
        if Path(source).exists():
            raise WinnowError(f"--source {source} is a built-in source and a folder here: write ./{source}.")
        if (fits := source_class(source).fits) and kind.gives not in fits:
            raise WinnowError(
                f"{source} is no source of {kind.noun[1]}, which ingest.modality is for: set that to the kind of data "
                "that it has; `git checkout params.yaml` brings back the settings that came with it."
            )
        return source
    place = os.path.expanduser(source)  # noqa: PTH111  a Path would drop the ./ that tells a folder from a source
    _check_holds(place, kind)
    if is_archive(Path(place)) or (source_class(place).endings and Path(place).is_file()):
        return place
    _check_folder(place)
    return place


def _check_holds(place: str, kind: type[Modality]) -> None:
    """Raise WinnowError for a table or a folder that holds nothing of this kind of data, with what it seems to hold."""
    others = {name: plugins.load("modality", name) for name in plugins.names("modality")}
    source = source_class(place)
    if source.endings:
        fitting = not source.fits or kind.gives in source.fits
        found = [other for other in others.values() if other.gives in source.fits]
    elif is_archive(Path(place)) or not Path(place).is_dir():
        return
    else:
        endings = _endings(place)
        if not endings:
            raise WinnowError(f"{place} is empty: put {kind.noun[1]} there, one folder per class.")
        found = [other for other in others.values() if other.suffixes & endings.keys()]
        fitting = not kind.suffixes or bool(kind.suffixes & endings.keys()) or not found
    if not fitting:
        cure = next((f"`{one.chosen_by} {place}` sets all that they need" for one in found if one.chosen_by), "")
        raise WinnowError(
            f"{place} holds {found[0].noun[1] if found else 'other data'}, and ingest.modality is for {kind.noun[1]}: "
            f"{cure or 'name another kind in ingest.modality'}."
        )


def _endings(place: str) -> Counter[str]:
    """How many files of each ending a folder holds; hidden ones do not count."""
    found: Counter[str] = Counter()
    for _, below, names in os.walk(place):
        below[:] = [name for name in below if not is_hidden(name)]
        found.update(Path(name).suffix.casefold() for name in names if not is_hidden(name))
    return found


def _check_folder(place: str) -> None:
    from components.datasets.sources.folder import Folder

    place_of(place, Path())
    Folder(Folder.Config(argument=place)).classes()


def _check(before: dict[str, Any], given: Given, out: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Refuse what the stages would refuse, before anything is written; all settings that are to be taken out: `out`,
    and those that another source has no use for.
    """
    wanted, gone = dict(before), list(out)
    for (owner, key), value in given.items():
        wanted[owner] = {**block(wanted, owner), key: value}
    if ("ingest", "source") in given:
        unused = unused_by(str(given["ingest", "source"]))
        gone += [("ingest", key) for key in unused if key in wanted["ingest"]]
    for owner, key in gone:
        wanted[owner] = {name: value for name, value in wanted[owner].items() if name != key}
    for owner in dict.fromkeys(owner for owner, _ in given):
        stage_settings(owner, wanted)
    build_modality(stage_settings("ingest", wanted).modality)
    return gone


def change_said(before: object, now: object) -> str:
    """What became of a setting; a block of blocks has a line for each, and what it was is in git."""
    if before == now:
        return f"is {_said(now)} already"
    if isinstance(now, dict) and any(isinstance(one, dict) for one in now.values()):
        return "".join(["is now", *(f"\n    {name}: {_said(one)}" for name, one in now.items())])
    return f"is now {_said(now)} ({'not set' if before is None else _said(before)} before)"


def _said(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "{" + ", ".join(f"{name}: {_said(one)}" for name, one in value.items()) + "}"


def _is_small_and_gray(params: dict[str, Any]) -> bool:
    """As suits the built-in digits."""
    own = _modality(params)
    return (own.get("image_size", 32), own.get("channels", 1)) == (32, 1)
