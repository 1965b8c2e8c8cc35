"""The Prefect flow on a small graph: DVC's lock file, what is tried again and what is not, what a crash leaves."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from toy_graph import begin, write_stages

from components.core import tracking
from components.core.errors import WinnowError
from pipelines import session
from pipelines.dvc import prepare_workspace, stale
from pipelines.inline import PROJECT
from pipelines.labeling.waiting import Waited
from pipelines.plan import Step

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # of Prefect's own server
]
Flow = Callable[..., Any]
COUNT = "Path('tries').write_text(Path('tries').read_text() + 'x' if Path('tries').exists() else 'x')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all tests of this file, on loopback, gone afterwards."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path, server: None) -> Iterator[Flow]:
    """`flow(first="...", second="...")` writes the graph's two stages and runs it; returns its last state."""
    from pipelines.flows import flow as flows

    begin(tmp_path / "project", empty_store, monkeypatch)
    Path("params.yaml").write_text(
        "first: {}\nsecond: {}\nregister: {name: toys}\nrun: {retries: 2, retry_seconds: 0, timeout_minutes: 1}\n"
    )
    monkeypatch.setattr(session, "_make_ready", lambda: prepare_workspace() or stale())
    monkeypatch.setattr(flows, "publish_summary", lambda steps, seconds: None)

    def run(*, first: str = "pass", second: str = "pass", **options: Any) -> Any:
        write_stages(first=first, second=second)
        return flows.pipeline(**options, return_state=True)

    yield run
    tracking._client = None


def test_the_flow_leaves_the_lock_file_that_dvc_leaves(flow: Flow, tmp_path: Path, empty_store: Path) -> None:
    state = flow()
    assert (state.name, state.message) == ("Completed", "2 of 2 stages ran or were restored")
    by_flow = Path("dvc.lock").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        begin(tmp_path / "other", empty_store, patch)
        write_stages()
        prepare_workspace()
        subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], check=True)
        assert Path("dvc.lock").read_bytes() == by_flow


def test_a_second_run_does_nothing_and_a_forced_one_does_it_all(flow: Flow) -> None:
    flow()
    assert flow().message == "nothing had changed"
    assert flow(start="second").message == "1 of 2 stages ran or were restored"
    assert flow(force=True).message == "2 of 2 stages ran or were restored"
    assert flow(start="third").message == "unknown stage 'third': Choose from first, second."


def test_where_the_registry_lacks_the_model_register_runs_and_what_comes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from prefect.states import Completed

    from pipelines.flows import flow as flows

    monkeypatch.setattr(flows, "get_run_logger", lambda: logging.getLogger())
    monkeypatch.setattr(flows, "registered", lambda: False)
    again = flows._as_it_turned_out(Step("register", (), ("evaluate",)), {})
    assert (again.why, again.forced) == (("the registry says otherwise",), True)
    states = {"register": Completed(), "audit": Completed(name=flows.UNCHANGED)}
    after = Step("report", (), ("register", "audit"))
    assert flows._as_it_turned_out(after, states) == Step("report", ("register runs",), after.needs)
    states["register"] = Completed(name=flows.UNCHANGED)
    assert flows._as_it_turned_out(after, states) == after


def test_a_failure_of_infrastructure_is_tried_again(flow: Flow) -> None:
    failing = f"{COUNT}; len(Path('tries').read_text()) < 3 and sys.exit(75)"
    assert flow(second=failing).message == "2 of 2 stages ran or were restored"
    assert Path("tries").read_text() == "xxx"


def test_a_stage_that_something_outside_kills_is_tried_again(flow: Flow) -> None:
    killed = f"{COUNT}; len(Path('tries').read_text()) < 2 and __import__('os').kill(__import__('os').getpid(), 9)"
    assert flow(second=killed).message == "2 of 2 stages ran or were restored"
    assert Path("tries").read_text() == "xx"


def test_infrastructure_that_stays_broken_is_given_up_with_its_sentence(flow: Flow) -> None:
    broken = f"{COUNT}; print('winnow: second: no worker is left: start some.', file=sys.stderr); sys.exit(75)"
    state = flow(second=broken)
    assert state.is_failed()
    assert state.message == "second: no worker is left: start some."
    assert Path("tries").read_text() == "xxx"


def test_bad_data_is_not_tried_again_and_its_sentence_is_the_outcome(flow: Flow) -> None:
    bad = f"{COUNT}; print('winnow: second: the table is empty: fill it.', file=sys.stderr); sys.exit(1)"
    state = flow(second=bad)
    assert state.is_failed()
    assert state.message == "second: the table is empty: fill it."
    assert Path("tries").read_text() == "x"
    assert flow().message == "1 of 2 stages ran or were restored"


def test_a_stage_that_takes_too_long_is_stopped_with_all_it_started(flow: Flow) -> None:
    Path("params.yaml").write_text(
        "first: {}\nsecond: {}\nregister: {name: toys}\nrun: {timeouts: {second: 0.15}, retries: 2}\n"
    )
    state = flow(second="time.sleep(300)")
    assert state.message.startswith("second was stopped after 0.15 minutes: raise run.timeout_minutes")
    assert not Path("data/second/x").exists()


def test_runs_of_dead_processes_are_closed_and_living_ones_are_not(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from components.core.lock import locked
    from pipelines.flows import flow as flows
    from pipelines.flows import reconcile

    with get_client(sync_client=True) as client:
        dead, living, foreign = (
            client.create_flow_run(flows.pipeline, tags=[tag], state=Running())
            for tag in (reconcile.workspace_tag(), reconcile.workspace_tag(), "elsewhere-12345678")
        )
        monkeypatch.setattr(reconcile, "YOUNG", timedelta(0))
        with locked(reconcile.ALIVE / str(living.id), wait=0, busy=""):
            assert reconcile.close_crashed() == 1
        assert [client.read_flow_run(run.id).state_type.name for run in (dead, living, foreign)] == [  # type: ignore[union-attr]
            "CRASHED",
            "RUNNING",
            "RUNNING",
        ]


def test_the_server_of_one_run_answers_no_other_page_and_does_not_outlive_a_killed_run(tmp_path: Path) -> None:
    code = (
        "import os\nfrom pipelines.flows.server import for_one_run\nfor_one_run()\n"
        "print(os.environ['PREFECT_API_URL'], flush=True)\ninput()"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PREFECT_HOME": str(tmp_path / "prefect")}
    environment.pop("PREFECT_API_URL", None)
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        settings = f"{run.stdout.readline().decode().strip()}/admin/settings"
        assert httpx.get(settings).status_code == 200
        for foreign in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert httpx.get(settings, headers=foreign).status_code == 403
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        assert children
        run.kill()
    deadline = time.monotonic() + 60
    while any(_alive(int(child)) for child in children) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(_alive(int(child)) for child in children)


def _alive(pid: int) -> bool:
    """A process that has ended and waits to be noticed is not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_people_are_waited_for_before_the_stages_run_where_that_is_asked_for(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = list[float]()

    def wait(hours: float, say: Callable[[str], object]) -> Waited:
        assert not Path("dvc.lock").exists()
        say("2 questions wait for people.")
        waited.append(hours)
        return Waited(2, 1)

    monkeypatch.setattr("pipelines.labeling.waiting.wait_for_answers", wait)
    assert flow(people_hours=0.5).is_completed()
    assert flow().is_completed()
    assert waited == [0.5]


def test_a_wait_that_cannot_be_is_told_in_its_sentence(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(hours: float, say: Callable[[str], object]) -> Waited:
        raise WinnowError("there is nothing to ask.")

    monkeypatch.setattr("pipelines.labeling.waiting.wait_for_answers", wait)
    state = flow(people_hours=0.5)
    assert state.is_failed()
    assert state.message == "there is nothing to ask."
    assert not Path("dvc.lock").exists()
