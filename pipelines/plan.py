"""What a run has to do: every stage in the order DVC takes, and why each of them is to run, if it is."""

from collections.abc import Iterable
from dataclasses import dataclass

from components.core.config import did_you_mean, read_params
from components.core.dag import CODE, StageSpec, read_stages, stage_names
from components.core.errors import WinnowError
from pipelines.dvc import Stale, changed_settings


@dataclass(frozen=True)
class Step:
    """One stage of a run. why: what makes it run, a few words each; empty where nothing does.

    needs: the stages it waits for, without those that one of them waits for anyway.
    """

    stage: str
    why: tuple[str, ...]
    needs: tuple[str, ...]
    forced: bool = False


def plan(stale: Stale, *, force: bool = False, start: str | None = None) -> list[Step]:
    """The steps of a run: what is stale and all after it; `start` adds itself and all after it, `force` alone all.

    Raises WinnowError for an unknown stage.
    """
    check_start(start)
    stages = read_stages()
    needs = {name: _makers(stages, spec) for name, spec in stages.items()}
    forced = _after(needs, {start}) if start else set(stages) if force else set()
    changed = {name: _told(name, why) for name, why in stale.items()}
    reasons = dict.fromkeys(forced, ("asked for",)) | changed
    steps = []
    for name in order(stages):
        upstream = tuple(f"{other} runs" for other in needs[name] if other in reasons and other != CODE.name)
        if upstream and name not in reasons:
            reasons[name] = upstream
        steps.append(Step(name, reasons.get(name, ()), _nearest(needs, name), name in forced))
    return steps


def check_start(start: str | None) -> None:
    """Raise WinnowError with the nearest name for a stage that does not exist."""
    stages = stage_names()
    if start is not None and start not in stages:
        raise WinnowError(f"unknown stage '{start}': {did_you_mean(start, stages)}")


def order(stages: dict[str, StageSpec]) -> list[str]:
    """Depth first along dependencies, as DVC walks: stages enter `dvc.lock` in this order."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name not in found:
            for other in _makers(stages, stages[name]):
                visit(other)
            found.append(name)

    for name in stages:
        visit(name)
    return found


def _told(name: str, why: tuple[str, ...]) -> tuple[str, ...]:
    """The reasons, with each setting that has another value in place of its whole block."""
    found: list[str] = []
    for reason in why:
        block, _, how = reason.partition(" ")
        found += changed_settings(name, block) if how == "changed" and block in read_params() else [reason]
    return tuple(found)


def _makers(stages: dict[str, StageSpec], spec: StageSpec) -> tuple[str, ...]:
    """The stages that make what `spec` reads, in the order it lists that."""
    maker = {path: name for name, other in stages.items() for path in other.outputs}
    return tuple(dict.fromkeys(maker[path] for path in spec.dependencies if path in maker))


def _nearest(needs: dict[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """Those that `name` needs directly, less those that another of them comes after."""
    return tuple(one for one in needs[name] if not any(other in _after(needs, {one}) - {one} for other in needs[name]))


def _after(needs: dict[str, tuple[str, ...]], names: Iterable[str]) -> set[str]:
    """The names and all that, through others or directly, needs one of them."""
    found = set(names)
    while more := {name for name, before in needs.items() if found & set(before)} - found:
        found |= more
    return found
