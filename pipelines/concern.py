"""One thing that would stop or slow a run, as `preflight` finds it before the run begins."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Concern:
    """One sentence with its cure. `stops`: the run cannot end well; otherwise it is slower, and goes on."""

    text: str
    stops: bool = True
