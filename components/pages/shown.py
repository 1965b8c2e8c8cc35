"""A sample as every page shows it, by its kind of data: pieces of HTML that templates set in as they are."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from components.modalities import Modality

if TYPE_CHECKING:
    from markupsafe import Markup

Array = npt.NDArray[Any]
Shown = Callable[[Array, str], "Markup"]


def showing(modality: Modality) -> dict[str, "Shown | str"]:
    """For templates: `shown(record, caption)` and `shown_many(records, caption)`, which is said where none is seen;

    `noun` and `nouns`: what people call one sample, and many.
    """
    from markupsafe import Markup

    return {
        "noun": modality.noun[0],
        "nouns": modality.noun[1],
        "shown": lambda record, caption: Markup(modality.show(record, caption=caption)),  # noqa: S704 - escaped there
        "shown_many": lambda records, caption: Markup(modality.show_many(records, caption=caption)),  # noqa: S704
    }
