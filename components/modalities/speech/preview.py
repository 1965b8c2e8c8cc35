"""A few clips, and what the policies make of them, as a picture of their frames or samples."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from components.core.files import replacing
from components.core.seeds import derive
from components.modalities import Array, View

SHOWN, DPI = 4, 100


def draw_preview(path: Path, records: Array, looks: Mapping[str, View], said: Mapping[str, str], seed: int) -> None:
    """Write a PNG: a row for each of the first `records` `(M, L)`, a column for each look; said: what each is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    some = torch.from_numpy(np.array(records[:SHOWN]))
    keys = np.arange(len(some))
    views = {name: look(some, keys, derive(seed, "preview", name)).numpy() for name, look in looks.items()}
    rows, columns = max(1, len(some)), len(views)
    figure = Figure(figsize=(2.7 * columns, 1.1 + 1.1 * rows), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for column, (name, view) in enumerate(views.items()):
        for row in range(len(view)):
            place = axes[row, column]
            if view.ndim == 3:
                place.imshow(view[row], origin="lower", aspect="auto", cmap="gray_r", interpolation="nearest")
            else:
                place.plot(view[row], linewidth=0.4, color="#1f4e79")
            place.set_xticks([])
            place.set_yticks([])
        lines = textwrap.wrap(said[name], 44, max_lines=3, placeholder=" …")
        axes[0, column].set_title(f"{name}\n" + "\n".join(lines), fontsize=6.5, loc="left")
    figure.tight_layout()
    with replacing(path) as aside:
        figure.savefig(aside, format="png", metadata={"Software": None})
