"""`winnow serve`: a registered version as MLflow's scoring server, loaded by Winnow and checked before it answers."""

import shlex
import warnings

from components.core.mlmodel import EXAMPLE, description
from components.core.model_versions import find
from components.core.version_files import fetch
from components.models.classifier import Classifier
from components.models.serving import ServedModel
from components.release.registered import load_version
from pipelines.local_server import HOST, answer, listening
from pipelines.loopback_only import App
from pipelines.settings import model_name


def serve(wanted: str, port: int) -> None:
    """Serve the version, by number or alias, until stopped. What answers is in memory before the first question.

    Raises WinnowError as `find`, `load_version` and `listening` do, and KeyboardInterrupt when it is stopped.
    """
    chosen = find(model_name(), wanted)
    app = application(load_version(chosen))
    example = (fetch(chosen).parents[1] / EXAMPLE).absolute()
    with listening(port) as door:
        address = f"http://{HOST}:{door.getsockname()[1]}/invocations"
        print(f"{chosen.name} version {chosen.number}: {address} (Ctrl-C ends it)")
        question = f"-H 'Content-Type: application/json' --data {shlex.quote(f'@{example}')}"  # older curls too
        print(f"  try it: curl {question} {address}", flush=True)
        answer(app, door)


def application(classifier: Classifier) -> App:
    """MLflow's scoring server on the classifier."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow about its own modules
        from mlflow.models import Model
        from mlflow.pyfunc import PyFuncModel
        from mlflow.pyfunc.scoring_server import init
    spec = classifier.spec
    served = spec.encoder.inputs.kind.served()
    facts = description(spec.classes, served.dtype, served.shape)
    app: App = init(PyFuncModel(Model.from_dict(facts), ServedModel(classifier)))
    return app
