"""The MLflow pages on the project's own store, on this machine only, open on the project's own experiment."""

import json
import os
import warnings

from components.core import tracking
from pipelines.local_server import HOST, answer, listening

START = "winnow"  # the page that leads on to the experiment
QUIET = {  # what MLflow's pages keep in the browser: no usage data, no assistant, and no hints about either
    "mlflow.settings.telemetry.enabled_v1": False,
    "mlflow.telemetry.info.alert.dismissed_v1": True,
    "mlflow.assistant.panelOpen_v1": False,
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
    "mlflow.detectIssues.guidanceShown_v1": True,
}
LEAD_ON = """<!doctype html><title>Winnow</title><script>
for (const [name, value] of Object.entries({quiet})) localStorage.setItem(name, JSON.stringify(value));
location.replace({page});
</script>"""


def serve(port: int) -> None:
    """Be the MLflow server until stopped, which raises KeyboardInterrupt: standard output names the page.

    A remote store has pages of its own.
    """
    uri = tracking.tracking_uri()
    if uri.startswith("http"):
        print(f"The pages of this project's store are at {uri.rstrip('/')}/{_page()}.")
        return
    tracking.deliver_or_say()
    page = _page()
    os.environ |= _settings(uri)
    warnings.simplefilter("ignore")  # of the server about its own parts
    from mlflow.server.fastapi_app import app
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    start = LEAD_ON.format(quiet=json.dumps(QUIET), page=json.dumps(f"/{page}"))
    app.router.routes.insert(0, Route(f"/{START}", lambda _: HTMLResponse(start)))
    with listening(port) as door:
        print(f"MLflow pages: http://{HOST}:{door.getsockname()[1]}/{START} (Ctrl-C ends them)", flush=True)
        answer(app, door)


def _page() -> str:
    """The runs of the project's experiment: models, not chats."""
    tracking.opened()
    return f"#/experiments/{tracking.experiment()}/runs?workflowType=machine_learning"


def _settings(uri: str) -> dict[str, str]:
    """What `mlflow server` tells its application, by the environment: command lines are seen by all."""
    from mlflow.server import constants

    return {
        constants.BACKEND_STORE_URI_ENV_VAR: uri,
        constants.REGISTRY_STORE_URI_ENV_VAR: uri,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: "./mlartifacts",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
