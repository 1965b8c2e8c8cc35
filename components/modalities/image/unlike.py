"""In what ways a picture's file is of another form than those that a model learned from."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.datasets.records import Record

SCALE, ASPECT = 4, 1.5  # times what was learned from; more is said
_GRAY = ("1", "L", "LA", "La")


def summary(facts: pd.DataFrame) -> dict[str, Any]:
    """forms: `gray`, `deep gray`, `color`; sides: of the shorter side, pixels; aspect: most of long to short side."""
    sides = facts[["width", "height"]]
    short, long = sides.min(axis=1), sides.max(axis=1)
    return {
        "forms": sorted({form_of(mode) for mode in facts["mode"]}),
        "sides": [int(short.min()), int(short.max())],
        "aspect": round(float((long / short).max()), 4),
    }


def unlike(record: Record, seen: Mapping[str, Any], image_size: int) -> list[str]:
    """Sentences without their beginning; seen: the `summary` of what was learned from."""
    short, long = sorted((record.facts["width"], record.facts["height"]))
    forms, sides, aspect = seen["forms"], seen["sides"], seen["aspect"]
    form = form_of(record.facts["mode"])
    gray_only = "color" not in forms and record.values.shape[0] == 1
    odd_form = "color" in record.lost if gray_only and form == "color" else form not in forms
    found = {
        f"in {form}, and the model learned from {' and '.join(forms)} pictures": odd_form,
        f"smaller than the {sides[0]} pixels it learned from": short < min(image_size, sides[0]),
        f"more than {SCALE} times as large as the {sides[1]} pixels it learned from": short
        > SCALE * max(image_size, sides[1]),
        f"longer for their height than the {aspect:.3g} it learned from": long > ASPECT * aspect * short,
    }
    return [how for how, holds in found.items() if holds]


def form_of(mode: str) -> str:
    """`gray`, `deep gray` or `color`, by Pillow's mode."""
    if mode in _GRAY:
        return "gray"
    return "deep gray" if mode[0] in "IF" else "color"
