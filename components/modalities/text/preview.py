"""A few texts, and what the policies make of them, as a picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from components.modalities import Array, View
from components.modalities.lines import draw_lines
from components.modalities.text.vocabulary import Vocabulary

SHOWN = 4
_DRAWN = 0x590  # below lie the letters that the font of these pictures has


def draw_preview(
    path: Path, records: Array, looks: Mapping[str, View], vocabulary: Vocabulary, said: list[str], seed: int
) -> None:
    """One block of lines per text: itself, then a view of it by each look. records: `(M, L)` UTF-8 bytes."""
    some = torch.from_numpy(np.array(records[:SHOWN]))
    keys = np.arange(len(some))
    views = {name: look(some, keys, seed) for name, look in looks.items()}
    lines = list(said)
    for row, record in enumerate(some.numpy()):
        text = record.tobytes().rstrip(b"\0").decode("utf-8", "replace")
        lines += ["", f"text: {text}"]
        lines += [f"{name}: {vocabulary.text(view[row].tolist())}" for name, view in views.items()]
    draw_lines(path, ["".join(one if ord(one) < _DRAWN else "▢" for one in line) for line in lines])
