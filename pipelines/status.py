"""`winnow status`: what is stale and why, who is at work, the last runs, and the model versions that serve or wait."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.core import tracking
from components.core.config import read_params
from components.core.decisions import history, unreadable
from components.core.files import read_json
from components.core.lock import held
from components.core.model_versions import CANDIDATE, versions
from components.models.given_weights import Origin
from pipelines.dvc import prepare_workspace, stale
from pipelines.flows.schedule import LOCK as SCHEDULE
from pipelines.plan import Step, plan
from pipelines.session import LOCK
from pipelines.settings import model_name
from pipelines.summary import role
from pipelines.watch import note_source, note_weights

RUNS = DECISIONS = 5
ENCODER = Path("data/pretrain/encoder.json")
REASONS = 2  # said of each stage


def report() -> str:
    """The lines, in five parts."""
    if held(LOCK):  # DVC answers nothing meanwhile
        stages = ["a run is at work: what is stale is known when it ends"]
    else:
        prepare_workspace()
        note_source(read_params())
        note_weights(read_params())
        stages = _stages(plan(stale()))
    parts = {
        "stages": stages,
        "weights": _weights(),
        "at work": _at_work(),
        "last runs": _last_runs(),
        "models": _models(),
    }
    return "\n\n".join("\n".join([name, *(f"  {line}" for line in lines)]) for name, lines in parts.items())


def _stages(steps: list[Step]) -> list[str]:
    width = max(len(step.stage) for step in steps) + 2
    lines = [f"{step.stage:<{width}}{_why(step)}" for step in steps]
    stale = sum(bool(step.why) for step in steps)
    return [*lines, f"{stale} of {len(steps)} would run: `winnow run`" if stale else "nothing would run"]


def _why(step: Step) -> str:
    if not step.why:
        return "up to date"
    if not Path("data", step.stage).is_dir():
        return "never run here"
    more = f", and {len(step.why) - REASONS} more" if len(step.why) > REASONS else ""
    return f"stale: {', '.join(step.why[:REASONS])}{more}"


def _weights() -> list[str]:
    """Whose the encoder started from, as its file says."""
    if not ENCODER.is_file():
        return ["no encoder yet"]
    origin = read_json(ENCODER).get("origin")
    return [f"starts from {Origin.model_validate(origin).said}" if origin else "none given: learned from these samples"]


def _at_work() -> list[str]:
    lines = []
    if held(LOCK):
        lines.append(f"a run (process {LOCK.read_text().strip()})")
    if held(SCHEDULE):
        lines.append(f"a schedule (process {SCHEDULE.read_text().strip()})")
    return lines or ["nobody"]


def _last_runs() -> list[str]:
    tracking.deliver_or_say()
    store = tracking.opened()
    with tracking.answering():
        found = store.search_runs(
            [tracking.experiment()],
            filter_string="tags.pipeline = 'true'",
            max_results=RUNS,
            order_by=["attributes.start_time DESC"],
        )
    return [_one_run(run) for run in found] or ["none yet"]


def _one_run(run: Any) -> str:
    began = datetime.fromtimestamp(run.info.start_time / 1000, UTC).astimezone()
    ended = run.info.end_time or time.time() * 1000
    seconds = (ended - run.info.start_time) / 1000
    accuracy = run.data.metrics.get("accuracy")
    figures = f"  accuracy {accuracy:.4f}" if accuracy is not None else ""
    return f"{began:%Y-%m-%d %H:%M}  {run.info.status.lower():<9}{seconds:>7.0f} s{figures}"


def _models() -> list[str]:
    """The versions that serve or wait, and what was decided last; what people wrote in the pages is taken first."""
    name = model_name()
    found = versions(name)
    if not found:
        return [f"no version of {name} yet: `winnow repro` makes one"]
    more: list[str] = []
    if any("review" in item.tags or CANDIDATE in item.aliases for item in found):
        from pipelines.deciding import reviews, waiting  # which loads what proves a model

        more = [*reviews(), *waiting()]
        found = versions(name)
    count = f"{name} has {len(found)} version{'' if len(found) == 1 else 's'}"
    roles = [f"version {item.number}: {role(item.aliases)}" for item in found if item.aliases]
    decided = [f"version {number}, {one.said}" for number, one in history(found)[-DECISIONS:]]
    return [count, *roles, *more, *filter(None, map(unreadable, found)), *decided]
