"""What people do in MLflow's and Prefect's pages: deleted, renamed, moved or edited there, each with the way back."""

import functools
import json
from typing import Any

from components.core import tracking
from components.core.errors import WinnowError
from components.core.lock import held
from components.core.model_versions import CHAMPION, Version, versions
from components.core.store_calls import DELETED, all_pages, every_experiment
from components.core.store_places import WORKSPACE, workspace
from components.core.version_files import fetch
from pipelines.checkups import Finding
from pipelines.flows.schedule import LOCK as SCHEDULE
from pipelines.flows.server import connect
from pipelines.session import VERSION
from pipelines.settings import model_name


def experiments() -> list[Finding]:
    """The project's experiment in MLflow is there, under its name. Creates nothing."""
    name, store = tracking.experiment_name(), tracking.opened()
    with tracking.answering():
        every = every_experiment(store)
    mine = next((item for item in every if item.name == name), None)
    if mine is None:
        other = [item.name for item in every if item.tags.get(WORKSPACE) == workspace()]
        cure = "rename it back in MLflow's pages, or set MLFLOW_EXPERIMENT_NAME to that name; else a new one is begun."
        what = f"this project's experiment is called {', '.join(other)} in MLflow, not {name}."
        return [Finding(what, cure, wrong=False)] if other else []
    if mine.lifecycle_stage != DELETED:
        return []
    what = f"the experiment {name} was deleted in MLflow's pages, and no run can begin."
    return [Finding(what, "bring it back.", functools.partial(_restore, store, mine.experiment_id))]


def models() -> list[Finding]:
    """The registry holds what `register` made, a champion whose files are there, and tags that nobody has edited."""
    name = model_name()
    every = versions(name)
    champion = next((version for version in every if CHAMPION in version.aliases), None)
    return [*_registered(), *_untagged(every), *(_served(every, champion) if every else [])]


def schedules() -> list[Finding]:
    """The schedule that this folder keeps up is in Prefect, and not paused there."""
    if not held(SCHEDULE) or not connect():
        return []
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags

    from pipelines.flows.reconcile import workspace_tag

    tagged = DeploymentFilterTags(all_=[workspace_tag()])
    with get_client(sync_client=True) as client:
        found = client.read_deployments(deployment_filter=DeploymentFilter(tags=tagged))
    if not found:
        what = "the schedule's deployment was deleted in Prefect's pages: nothing runs at its times."
        return [Finding(what, "stop `winnow schedule` and start it again.")]
    if any(item.paused or not any(schedule.active for schedule in item.schedules) for item in found):
        what = "the schedule is paused in Prefect's pages: nothing runs at its times."
        return [Finding(what, "resume it there (`winnow flows` names the address).", wrong=False)]
    return []


def _restore(store: Any, experiment: str) -> str:
    with tracking.answering():
        store.restore_experiment(experiment)
    return "brought it back, with its runs."


def _registered() -> list[Finding]:
    """What version.json names is in the registry, perhaps under another name."""
    if not VERSION.is_file():
        return []
    facts = json.loads(VERSION.read_text(encoding="utf-8"))
    name, number, digest = facts["name"], facts["version"], facts["model_sha256"]
    if any(version.sha256 == digest for version in versions(name)):
        return []
    store = tracking.opened()
    with tracking.answering():
        renamed = [model.name for model in all_pages(store.search_registered_models) if model.name != name]
    holders = [other for other in renamed if any(version.sha256 == digest for version in versions(other))]
    what = f"MLflow has no version {number} of {name}, which this pipeline made: deleted in its pages."
    if holders:
        what = f"MLflow keeps version {number} of {name} as a model {holders[0]}: renamed in its pages."
    more = f"; or set register.name to {holders[0]}" if holders else ""
    return [Finding(what, f"`winnow repro` registers it again{more}.")]


def _untagged(every: list[Version]) -> list[Finding]:
    bare = [str(version.number) for version in every if not version.sha256]
    what = f"versions of {every[0].name} without their tag model_sha256: {', '.join(bare)}." if bare else ""
    cure = "they cannot be checked, so they never serve: put the tag back in MLflow's pages, or delete them there."
    return [Finding(what, cure)] if bare else []


def _served(every: list[Version], champion: Version | None) -> list[Finding]:
    if champion is None:
        what = f"no version of {every[0].name} is the champion: the alias was removed, or no version passed the gate."
        return [Finding(what, f"`winnow promote {every[0].number}` makes the newest one serve.", wrong=False)]
    try:
        fetch(champion, fresh=True)  # from the registry, so that another machine can fetch it too
    except WinnowError as error:
        what, _, cure = str(error).partition(": ")
        return [Finding(f"the champion, {what}.", cure)]
    return []
