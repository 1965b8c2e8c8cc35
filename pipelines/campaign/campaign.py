"""`winnow campaign`: simulated active learning on the source's own truth, to learn which query strategy pays."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.core.config import read_params
from components.core.environment import prepare
from components.core.errors import Refused, WinnowError
from components.core.files import sha256, write_text
from components.core.lock import locked
from components.core.signals import stoppable
from pipelines.campaign.plan import RANDOM, Arm, Options, Plan, check_options, check_pool, make_plan

if TYPE_CHECKING:
    from pipelines.campaign.curves import Curve
    from pipelines.campaign.rounds import Point

LOCK = Path(".winnow/campaign.lock")
BUSY = "another campaign (process {pid}) is at work in this folder: wait for it to end, or stop it."
RESULTS = Path("data/campaign")
NOTE = (
    "A simulation for choosing a query strategy: the source's own truth answered, and the test split was read once for "
    "every point. It is no way to choose a model, and no promise of these figures on other data."
)
Task = tuple[int, Arm, int]  # seed, strategy, round


def run_campaign(options: Options) -> int:
    """Do what is not done yet, write `data/campaign/`, track it and print the table; returns the exit code."""
    check_options(options)
    params = read_params()
    prepare(threads=int(params.get("threads", 1)))
    from pipelines.settings import check_settings

    check_settings()
    plan = make_plan(options, params)
    with locked(LOCK, wait=0, busy=BUSY):
        try:
            with stoppable():
                _run_all(plan)
                text, found = _write(plan)
                _track(plan, found)
        except KeyboardInterrupt:
            results = [_result(plan, task) for task in _tasks(plan)]
            done = f"{len(results) - results.count(None)} of {len(results)} points done"
            print(f"winnow: campaign stopped with {done}: the same command goes on from there.", file=sys.stderr)
            return 130
    print(f"\n{text}\n{RESULTS / 'curve.png'} is the picture.")
    return 0


def _tasks(plan: Plan) -> Iterator[Task]:
    """Every point to reach, in the order in which they are reached; round 0 is the same for all strategies."""
    for seed in plan.seeds:
        yield seed, plan.arms[0], 0
        for arm in plan.arms:
            yield from ((seed, arm, number) for number in range(1, plan.options.rounds + 1))


def _result(plan: Plan, task: Task) -> "Point | None":
    from pipelines.campaign.rounds import finished

    return finished(plan.folder(*task))


def _run_all(plan: Plan) -> None:
    from components.core.progress import silence
    from pipelines.campaign.rounds import prepare_seed, run_round

    _check(plan)
    tasks = list(_tasks(plan))
    waiting = [task for task in tasks if _result(plan, task) is None]
    print(f"{len(tasks)} points, {len(tasks) - len(waiting)} of them done before, kept in {plan.home}", flush=True)
    for index, (seed, arm, number) in enumerate(waiting):
        if index == 0 or waiting[index - 1][0] != seed:
            prepare_seed(plan, seed)
        began = time.monotonic()
        with silence():
            point = run_round(plan, seed, arm, number)
        name = arm.name if number else "start"
        print(
            f"seed {seed}  {name:<{_width(plan)}}  round {number}/{plan.options.rounds}  {point.labels} labels  "
            f"accuracy {point.accuracy:.3f}  ({time.monotonic() - began:.0f} s)  {len(waiting) - index - 1} left",
            flush=True,
        )


def _check(plan: Plan) -> None:
    """Read the source and see that it can answer, before anything is trained."""
    from pipelines.campaign.rounds import prepare_seed

    try:
        warning = check_pool(plan, prepare_seed(plan, plan.seeds[0], ["ingest"]))
        prepare_seed(plan, plan.seeds[0], ["ingest", "validate"])
    except Refused as refusal:
        why = str(refusal).split("; see ")[0]
        raise WinnowError(f"{why}; `winnow repro` writes the page that shows it.") from refusal
    if warning:
        print(f"winnow: {warning}", file=sys.stderr)


def _width(plan: Plan) -> int:
    return max(len(arm.name) for arm in plan.arms)


def _write(plan: Plan) -> "tuple[str, list[Curve]]":
    """The table, the picture and every point in `data/campaign/`; returns the table's text, and the curves."""
    import pandas as pd

    from components.core.spreadsheet import frame_to_csv
    from pipelines.campaign.curves import curves, table
    from pipelines.campaign.picture import draw_curves

    rows = []
    for seed in plan.seeds:
        for arm in plan.arms:
            for number in range(plan.options.rounds + 1):
                point = _result(plan, (seed, arm, number))
                assert point is not None
                rows.append({"strategy": arm.name, "seed": seed, "round": number, **point.model_dump()})
    frame = pd.DataFrame(rows)
    found = curves(frame, RANDOM)
    count = len(plan.seeds)
    over = f"mean over {count} seeds, 95 % interval (Student's t)" if count > 1 else "one seed, so no interval"
    reading = f"{over[0].upper()}{over[1:]}. An interval of a difference that holds 0 leaves it open."
    text = f"{_title(plan)}\n\n{reading}\n\n{table(found)}\n{NOTE}\n"
    write_text(RESULTS / "curve.csv", frame_to_csv(frame, "%.6f"))
    write_text(RESULTS / "table.md", f"# {text}")
    draw_curves(RESULTS / "curve.png", found, title=f"Campaign on {_source(plan)}: {over}")
    return text, found


def _title(plan: Plan) -> str:
    names = ", ".join(arm.name for arm in plan.arms[1:])
    return f"Campaign on {_source(plan)}: {names} against random"


def _source(plan: Plan) -> str:
    return Path(str(plan.params["ingest"].get("source", "digits"))).name


def _track(plan: Plan, found: "list[Curve]") -> None:
    """One run in MLflow per outcome: a record on disk, which waits where MLflow does not answer."""
    from components.core import journal, tracking

    outcome = sha256(RESULTS / "curve.csv")
    note = plan.home / "tracked.json"
    if not note.is_file() or json.loads(note.read_text(encoding="utf-8")) != outcome:
        with journal.recording("campaign", key=plan.home.name, params=_settings(plan)) as record:
            del record.facts["tags"]["stage"]
            record.facts["tags"]["mlflow.source.name"] = "pipelines/campaign/campaign.py"
            record.facts["dataset"] = sha256(plan.home / f"seed{plan.seeds[0]}/unlabeled/data/ingest/manifest.parquet")
            for steps in zip(*(curve.steps for curve in found), strict=True):
                figures = {f"accuracy_{step.strategy}": step.accuracy.mean for step in steps}
                gains = {f"gain_{step.strategy}": step.gain.mean for step in steps if step.gain}
                record.epoch(steps[0].labels, figures | gains)
            record.facts["metrics"] = _averages(found)
            record.keep(sorted(RESULTS.glob("*")))
        write_text(note, json.dumps(outcome))
    tracking.deliver_or_say()


def _settings(plan: Plan) -> dict[str, object]:
    options = plan.options
    names = ", ".join(arm.name for arm in plan.arms)
    own = {"rounds": options.rounds, "budget": options.budget, "start": options.start, "seeds": options.seeds}
    return {"campaign": {**own, "strategies": names}, **plan.params}


def _averages(found: "list[Curve]") -> dict[str, float]:
    figures = {}
    for curve in found:
        figures[f"average_{curve.strategy}"] = curve.area.mean
        gain = curve.area_gain
        if gain is not None:
            ends = {"": gain.mean, "_low": gain.low, "_high": gain.high}
            figures |= {f"average_gain_{curve.strategy}{end}": v for end, v in ends.items() if v is not None}
    return figures
