"""What the audit of augmentations tries on texts, from mild to strong."""

from collections.abc import Mapping
from typing import Any

from components.modalities import Array, Level
from components.modalities.text.material import sources

CHANCES = (0.1, 0.2, 0.4, 0.6)


def ladder(material: Mapping[str, Array]) -> Mapping[str, list[Level]]:
    """By augmentation; spans as parts of all words, the others as chances of a word; of a whole text where it is
    written anew. material: what the policies in use took from files, see `gather`; without it there is none of that.
    """
    strengths = {"synonyms": CHANCES, "rewritten": (0.5, 1.0)}
    taken = sources(material)
    several = {kind: [one for one, _ in taken].count(kind) > 1 for kind in strengths}
    return {
        "crop": [Level({"crop": [share, share]}, {"crop": [share, 1.0]}) for share in (0.8, 0.6, 0.4, 0.2)],
        **{name: [Level({name: chance}) for chance in CHANCES] for name in ("drop", "swap", "mask")},
        **{
            f"{kind} of {_place(source)}" if several[kind] else kind: [
                Level({kind: {"chance": chance, **source}}) for chance in strengths[kind]
            ]
            for kind, source in taken
        },
    }


def _place(source: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in source.values())
