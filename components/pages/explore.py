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

TEMPLATE, SCRIPT = "explore.html.jinja", Path(__file__).with_name("explore.js.jinja")
Integers = npt.NDArray[np.int64]


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


def render(points: Points, sheets: Sheets, modality: Modality) -> str:
    """The page as text; what comes from the data is escaped, nothing loaded from elsewhere, no other script runs."""
    from markupsafe import Markup

    script = SCRIPT.read_text(encoding="utf-8")
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
            data=_data(points, sheets),
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


def _packed(numbers: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers.astype(kind)).tobytes()).decode("ascii")
