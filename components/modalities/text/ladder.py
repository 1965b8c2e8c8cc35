"""What the audit of augmentations tries on texts, from mild to strong."""

from collections.abc import Mapping

from components.modalities import Level


def ladder() -> Mapping[str, list[Level]]:
    """By augmentation; spans as parts of all words, the others as chances of a word."""
    return {
        "crop": [Level({"crop": [share, share]}, {"crop": [share, 1.0]}) for share in (0.8, 0.6, 0.4, 0.2)],
        **{name: [Level({name: chance}) for chance in (0.1, 0.2, 0.4, 0.6)] for name in ("drop", "swap", "mask")},
    }
