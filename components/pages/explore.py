"""The page of `winnow explore`: all samples as points on a map, to zoom, filter and select."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.core.spreadsheet import FORMULA
from components.modalities import Modality
from components.pages.sheets import EACH, Sheets
from components.pages.shown import showing
from components.pages.templates import templates

TEMPLATE = "explore.html.jinja"
SCRIPTS = [Path(__file__).with_name(f"{name}.js.jinja") for name in ("explore", "explore_beside")]
Integers = npt.NDArray[np.int64]
MOST_LEFT_OUT = 2000  # files that the page names


@dataclass(frozen=True)
class Points:
    """N samples in the manifest's order. places: `(N, 2)` in [0, 1]; said: in brief what each is, empty where small
    pictures tell; label, guess: `(N,)` numbers of `classes`, -1 for none; confidence: `(N,)` of the guess in 0..1, NaN
    for none; split, status: numbers of `splits` and `statuses`; near: `(N, k)` rows of the most similar, -1 for none.
    """

    ids: Sequence[str]
    paths: Sequence[str]
    said: Sequence[str]
    places: npt.NDArray[np.float64]
    label: Integers
    guess: Integers
    confidence: npt.NDArray[np.float32]
    split: Integers
    status: Integers
    near: Integers
    classes: Sequence[str]
    splits: Sequence[str]
    statuses: Sequence[str]


@dataclass(frozen=True)
class LeftOut:
    """Files that `ingest` put into quarantine, M of them: path, kind and reason of each; twin: `(M,)` row of the sample
    that it clashes with, -1 for none."""

    paths: Sequence[str]
    kinds: Sequence[str]
    reasons: Sequence[str]
    twin: Integers


def render(points: Points, sheets: Sheets, modality: Modality, left_out: LeftOut, *, served: bool = False) -> str:
    """The page as text; what comes from the data is escaped, nothing loaded from elsewhere, no other script runs.

    served: by a server that takes a selection as the next questions and shows whole samples.
    """
    from markupsafe import Markup

    script = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    pictured = int((sheets.place >= 0).sum())
    return (
        templates()
        .get_template(TEMPLATE)
        .render(
            **showing(modality),
            count=len(points.ids),
            about="" if not sheets.uris or pictured == len(points.ids) else f"{pictured:,} have a small picture here.",
            said=bool(points.said),
            sheets=bool(sheets.uris),
            left_out=len(left_out.paths),
            served=served,
            data=_data(points, sheets) | _left_out(left_out) | {"served": served},
            digest=digest,
            script=Markup(script),  # noqa: S704  our own, not from the data
        )
        + "\n"
    )


def _data(points: Points, sheets: Sheets) -> dict[str, Any]:
    """What the script reads: texts as they are, numbers as base64 of little-endian arrays."""
    percent = np.where(np.isnan(points.confidence), 255, np.round(100 * np.nan_to_num(points.confidence)))
    return {
        "ids": list(points.ids),
        "paths": list(points.paths),
        "said": list(points.said),
        "classes": list(points.classes),
        "splits": list(points.splits),
        "statuses": list(points.statuses),
        "places": _packed(np.round(65535 * points.places), "<u2"),
        "label": _packed(points.label, "<i2"),
        "guess": _packed(points.guess, "<i2"),
        "confidence": _packed(percent, "u1"),
        "split": _packed(points.split, "u1"),
        "status": _packed(points.status, "u1"),
        "near": _packed(points.near, "<i4"),
        "k": points.near.shape[1],
        "thumb": _packed(sheets.place, "<i4"),
        "sheets": sheets.uris,
        "cell": sheets.cell,
        "each": EACH,
        "formula": FORMULA,
    }


def _left_out(found: LeftOut) -> dict[str, Any]:
    """The first files by kind, and of all the rows whose samples they clash with."""
    order = sorted(range(len(found.paths)), key=lambda one: (found.kinds[one], found.paths[one]))[:MOST_LEFT_OUT]
    kinds = sorted(set(found.kinds))
    beside = sorted(
        {(int(row), kinds.index(kind)) for row, kind in zip(found.twin, found.kinds, strict=True) if row >= 0}
    )
    return {
        "kinds": [kind.replace("_", " ") for kind in kinds],
        "left": [[found.paths[k], kinds.index(found.kinds[k]), found.reasons[k], int(found.twin[k])] for k in order],
        "beside": beside,
    }


def _packed(numbers: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers.astype(kind)).tobytes()).decode("ascii")
