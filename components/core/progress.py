"""How long work shows that it lives: a bar for items, a line and tracked figures for epochs."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Listener = Callable[[int, Mapping[str, float]], None]

_listeners: list[Listener] = []


def bar(items: Iterable[T], *, total: int | None, label: str, unit: str = "") -> Iterable[T]:
    """Iterate with a progress bar on a terminal; silent elsewhere, so that logs stay quiet."""
    from tqdm import tqdm

    return tqdm(items, total=total, desc=label, unit=unit, disable=not sys.stderr.isatty(), leave=False)


def report_epoch(step: int, metrics: Mapping[str, float], *, total: int) -> None:
    """Say how epoch `step` of `total` went: one line on standard error, and the figures to whoever listens."""
    figures = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
    print(f"  epoch {step}/{total}  {figures}", file=sys.stderr, flush=True)
    for listener in _listeners:
        listener(step, metrics)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send every epoch's figures to `listener` too while the block runs (the stage runner's MLflow run)."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
