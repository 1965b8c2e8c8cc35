"""Methods that are for another kind of data than there is: every one of them, asked for rows of numbers."""

from bad_input_cases.case import Case
from components.core.plugins import CHOICES, fits, load, names
from tests.contracts.made_up import SETTINGS

KINDS = [
    Case(
        f"{name}, for rows of numbers",
        "settings",
        "and ingest.modality gives numbers: choose from",
        settings={**SETTINGS, f"{block}.{setting}": {"name": name}},
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
