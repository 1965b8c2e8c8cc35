"""What an encoder is given, said without any sample: kind, shape, symbols and how frequent each is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """What an encoder is given: views of a `kind` (pixels, tokens, ...), each of `shape`.

    symbols: of how many each number of a view is one, such as words of a vocabulary; 0 where numbers are measures.
    frequencies: each symbol's share of the training rows' symbols, `(symbols,)`; empty where they are not known.
    sizes: how many bytes of a sample each symbol stands for, `(symbols,)`; empty where it keeps not all of them.
    """

    kind: str
    shape: tuple[int, ...]
    symbols: int = 0
    frequencies: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()
