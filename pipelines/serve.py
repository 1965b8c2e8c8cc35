"""`winnow serve`: a registered version as MLflow's scoring server, loaded by Winnow and checked before it answers."""

import warnings

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from components.core.mlmodel import EXAMPLE, description
from components.core.model_versions import find
from components.core.signals import stoppable
from components.core.version_files import fetch
from components.models.classifier import Classifier
from components.models.serving import PictureModel
from components.release.registered import load_version
from pipelines.settings import model_name
from pipelines.ui import free_port

HOST = "127.0.0.1"


def serve(wanted: str, port: int) -> None:
    """Serve the version, by number or alias, until stopped. What answers is in memory before the first question.

    Raises WinnowError as `load_version` does.
    """
    chosen = find(model_name(), int(wanted) if wanted.isdecimal() else wanted)
    app = application(load_version(chosen))
    port = free_port(port)
    example = fetch(chosen).parents[1] / EXAMPLE
    print(f"{chosen.name} version {chosen.number}: http://{HOST}:{port}/invocations (Ctrl-C ends it)")
    if example.is_file():
        print(f"  try it: curl --json @{example} http://{HOST}:{port}/invocations", flush=True)
    with stoppable():
        uvicorn.run(app, host=HOST, port=port, log_level="warning")


def application(classifier: Classifier) -> TrustedHostMiddleware:
    """MLflow's scoring server on the classifier; it answers to this machine's own names alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow about its own modules
        from mlflow.models import Model
        from mlflow.pyfunc import PyFuncModel
        from mlflow.pyfunc.scoring_server import init
    spec = classifier.spec
    facts = description(spec.classes, spec.encoder.image_size, spec.encoder.channels)
    app = init(PyFuncModel(Model.from_dict(facts), PictureModel(classifier)))
    return TrustedHostMiddleware(app, allowed_hosts=[HOST, "localhost"])
