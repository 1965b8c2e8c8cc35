"""What clients of a server send, said without any sample."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """What clients send: arrays of a `dtype`, `shape` for each sample, -1 where any length will do."""

    dtype: str
    shape: tuple[int, ...]
