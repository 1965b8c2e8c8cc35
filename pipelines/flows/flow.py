"""The Prefect flow: one task per stage, each run by DVC, so that `dvc.lock` is the one `dvc repro` leaves."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from prefect.tasks import Task

from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.outcome import RETRY, explain
from components.core.secrets import without_secrets
from pipelines.dvc import run_dvc
from pipelines.flows.artifacts import publish_summary
from pipelines.flows.reconcile import alive
from pipelines.flows.review import ask_person
from pipelines.plan import Step, plan
from pipelines.session import alone, registered, tracked
from pipelines.settings import RunSettings, run_settings

KILLED = {-9, -15, 137, 143}  # exit codes of a stage that something outside ended, like the kernel out of memory
BUSY = re.compile(r"is busy, it is being blocked by|Unable to acquire lock")
EXIT = re.compile(r"exited with (-?\d+)")
SENTENCE = "winnow: "
GIVEN_UP = "InfrastructureError: "  # how Prefect begins the message of a task that failed once too often
UNCHANGED = "Unchanged"


class InfrastructureError(RuntimeError):
    """A stage failed by something outside it (a lost worker, a server, the kernel): worth another try."""


@flow(name="winnow", persist_result=False, validate_parameters=True)
def pipeline(start: str | None = None, force: bool = False, people_hours: float = 0) -> State[Any]:
    """Run what is stale, stage by stage, and show what came out.

    Args:
        start: run this stage and all after it, changed or not.
        force: run every stage, changed or not; with `start`, no more than that asks for.
        people_hours: wait so long at most for people to answer the open questions before; 0 waits for nobody.
    """
    try:
        prepare()  # a worker of Prefect's started this process
        if people_hours:
            waited = people(people_hours, return_state=True)
            if not waited.is_completed():
                raise WinnowError(waited.message or "waiting for people failed.")
        with alive():
            with alone(with_prefect=True) as stale:
                began = time.monotonic()
                steps = plan(stale, force=force, start=start)
                with tracked() as environment:
                    changed = _run(steps, environment)
                if changed:
                    publish_summary(steps, time.monotonic() - began)
            asked = ask_person(run_settings().review_minutes)  # nobody else waits for the folder meanwhile
    except Exception as error:  # Prefect would show a traceback
        return Failed(message=without_secrets(explain(error, "run")[0]))
    came = f"{len(changed)} of {len(steps)} stages ran or were restored" if changed else "nothing had changed"
    return Completed(message=f"{came}; {asked}" if asked else came)


def _run(steps: list[Step], environment: Mapping[str, str]) -> list[str]:
    """Run the steps in order; names of those that ran. Raises WinnowError with the sentence of the one that failed."""
    settings = run_settings()
    done: dict[str, State[Any]] = {}
    for planned in steps:
        step = _as_it_turned_out(planned, done)
        limit = settings.timeouts.get(step.stage, settings.timeout_minutes)
        run = _task(step.stage, settings)
        waited = [done[name] for name in step.needs]
        done[step.stage] = run(step, dict(environment), limit, return_state=True, wait_for=waited)
        if not done[step.stage].is_completed():
            raise WinnowError((done[step.stage].message or f"{step.stage} failed.").split(GIVEN_UP)[-1])
    return [name for name, state in done.items() if state.name != UNCHANGED]


def _as_it_turned_out(step: Step, done: Mapping[str, State[Any]]) -> Step:
    """The step, with a reason to run that no plan knew: a registry without the model, and a stage that ran for that."""
    if step.why:
        return step
    if step.stage == "register" and not registered():
        get_run_logger().info("register: the registry says something else of this model by now; asking it again")
        return replace(step, why=("the registry says otherwise",), forced=True)
    return replace(step, why=tuple(f"{name} runs" for name in step.needs if done[name].name != UNCHANGED))


def _task(stage: str, settings: RunSettings) -> "Task[Any, Any]":
    delays = [settings.retry_seconds * 2**attempt for attempt in range(settings.retries)]
    return run_stage.with_options(
        name=stage, task_run_name=stage, retries=settings.retries, retry_delay_seconds=delays or 0
    )


def _worth_a_retry(_: "Task[Any, Any]", __: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), InfrastructureError)


@task(name="people", task_run_name="people", cache_policy=NO_CACHE, persist_result=False)
def people(hours: float) -> State[Any]:
    """Wait for them; where the time is up, what they have answered so far is what the run learns from."""
    from pipelines.labeling.waiting import wait_for_answers

    logger = get_run_logger()

    def say(line: str) -> None:
        logger.info(line)
        print(line, flush=True)

    try:
        return Completed(message=wait_for_answers(hours, say).said)
    except WinnowError as error:  # Prefect would show a traceback
        return Failed(message=without_secrets(str(error)))


@task(cache_policy=NO_CACHE, persist_result=False, retry_condition_fn=_worth_a_retry)
def run_stage(step: Step, environment: dict[str, str], limit_minutes: float) -> State[Any]:
    """Have DVC run one stage, or restore it, its output in the log line by line.

    Raises InfrastructureError where another try may help; whatever else goes wrong is a failed state with its sentence.
    """
    if not step.why:
        return Completed(name=UNCHANGED, message="nothing it depends on has changed")
    logger, lines = get_run_logger(), []

    def listen(line: str) -> None:
        lines.append(line)
        logger.info(line)
        print(line, flush=True)

    force = ["--force"] if step.forced else []
    try:
        code = run_dvc(
            ["repro", "--single-item", *force, step.stage], environment, listen=listen, limit=limit_minutes * 60
        )
    except TimeoutError:
        return Failed(
            message=f"{step.stage} was stopped after {limit_minutes:g} minutes: raise run.timeout_minutes, or "
            f"run.timeouts.{step.stage}, in params.yaml, or give it less to do."
        )
    if code == 0:
        return _how(step.stage, lines)
    return _failed(step.stage, lines)


def _how(stage: str, lines: list[str]) -> State[Any]:
    if f"{stage}: unchanged" in lines:
        return Completed(name=UNCHANGED, message="nothing it depends on has changed")
    if f"{stage}: restored" in lines:
        return Completed(name="Restored", message="the same work had been done before: DVC restored its outputs")
    return Completed()


def _failed(stage: str, lines: list[str]) -> State[Any]:
    said = [line.removeprefix(SENTENCE) for line in lines if line.startswith(SENTENCE)]
    text = "\n".join(lines)
    exits = EXIT.findall(text)
    sentence = said[-1] if said else f"{stage}: {lines[-1] if lines else 'DVC said nothing'}"
    if BUSY.search(text):
        raise InfrastructureError(f"{stage}: another DVC process is at work in this folder.")
    if exits and int(exits[-1]) in KILLED:
        raise InfrastructureError(f"{stage}: something outside killed it (exit {exits[-1]}); out of memory, perhaps.")
    if exits and int(exits[-1]) == RETRY:
        raise InfrastructureError(sentence)
    return Failed(message=sentence)
