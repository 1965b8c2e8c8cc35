"""A sample as every page shows it, by its kind of data: pieces of HTML that templates set in as they are."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from components.modalities import Modality
from components.modalities.worded import Mark, Worded

if TYPE_CHECKING:
    from markupsafe import Markup

Array = npt.NDArray[Any]
Shown = Callable[..., "Markup"]


def showing(modality: Modality) -> dict[str, "Shown | str"]:
    """For templates: `shown(record, caption, marks)` and `shown_many(records, caption)`, which is said where none is
    seen; `noun` and `nouns`: what people call one sample, and many. marks: of the record's parts, see `Worded`.
    """
    from markupsafe import Markup

    def shown(record: Array, caption: str, marks: Sequence[Mark] = ()) -> Markup:
        if isinstance(modality, Worded) and marks:
            return Markup(modality.show_marked(record, marks, caption=caption))  # noqa: S704 - escaped there
        return Markup(modality.show(record, caption=caption))  # noqa: S704 - escaped there

    return {
        "noun": modality.noun[0],
        "nouns": modality.noun[1],
        "shown": shown,
        "shown_many": lambda records, caption: Markup(modality.show_many(records, caption=caption)),  # noqa: S704
    }
