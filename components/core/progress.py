"""How long work shows that it lives: a bar for items, a line and tracked figures for epochs."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from components.core.terminal import raw, visible

T = TypeVar("T")
Listener = Callable[[int, Mapping[str, float]], None]

_listeners: list[Listener] = []
_silent = False


def bar(items: Iterable[T], *, total: int | None, label: str, unit: str = "") -> Iterable[T]:
    """Iterate with a progress bar on a terminal; silent elsewhere, so that logs stay quiet."""
    from tqdm import tqdm

    silent = not sys.stderr.isatty()
    return tqdm(items, total=total, desc=label, unit=unit, disable=silent, leave=False, file=raw(sys.stderr))


def report_epoch(step: int, metrics: Mapping[str, float], *, total: int) -> None:
    """Say how epoch `step` of `total` went: ten lines in all on standard error, every epoch to whoever listens.

    On a terminal one line is kept up to date instead.
    """
    figures = "  ".join(f"{name} {value:.3g}" for name, value in metrics.items())
    line, last = f"  epoch {step}/{total}  {figures}", step == total
    if _silent:
        pass
    elif sys.stderr.isatty():
        print(f"\r\033[K{visible(line)}", end="\n" if last else "", file=raw(sys.stderr), flush=True)
    elif last or step % max(1, total // 10) == 0:
        print(line, file=sys.stderr, flush=True)
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


@contextmanager
def silence() -> Iterator[None]:
    """No line per epoch while the block runs, for work that says itself how far it is; listeners still hear them."""
    global _silent
    before, _silent = _silent, True
    try:
        yield
    finally:
        _silent = before
