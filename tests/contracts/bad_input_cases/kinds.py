"""Methods that are for another kind of data than there is: every one of them, asked for rows of numbers."""

from typing import Any

from bad_input_cases.case import Case
from components.core.plugins import CHOICES, fits, load, names
from tests.contracts.made_up import SETTINGS


def _asked(block: str, setting: str, name: str) -> dict[str, Any]:
    """The method; adaptation's without what others want beside it."""
    return {block: {setting: {"name": name}}} if block == "finetune" else {f"{block}.{setting}": {"name": name}}


KINDS = [
    Case(
        f"{name}, for rows of numbers",
        "settings",
        "and ingest.modality gives numbers: choose from",
        settings={**SETTINGS, **_asked(block, setting, name)},
        made_up=True,
    )
    for (block, setting), family in CHOICES.items()
    for name in names(family)
    if fits(load(family, name))
]
KINDS.append(
    Case(
        "digits, as rows of numbers",
        "settings",
        "choose from folder",
        settings={**SETTINGS, "ingest.source": "digits"},
        made_up=True,
    )
)
