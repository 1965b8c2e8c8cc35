"""How charts look: colors, type, an empty figure, and the small panel with one curve over the epochs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, ACCENT, SOFT, WARN = "#1c2733", "#0f6b6b", "#b9c4cc", "#c2571a"
DPI = 144
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
}


def empty_figure(width: float, height: float, *, layout: Any = "constrained") -> "Figure":
    """A figure of so many inches at 144 dots each, drawn without a display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def draw_curve(axes: "Axes", title: str, epochs: Sequence[float], values: Sequence[float]) -> None:
    """One series over the epochs; so few of them that no line would show are dots."""
    axes.plot(epochs, values, color=ACCENT, linewidth=1.8, marker="o" if len(epochs) < 3 else None)
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=SOFT, alpha=0.4, linewidth=0.6)
