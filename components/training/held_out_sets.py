"""The prediction sets of a model: their threshold from held-out labels, and from the pool where that is asked for."""

from components.methods.contracts import Floats, Positions
from components.models.classifier import Classifier
from components.models.prediction_sets import PredictionSets, calibrate
from components.training.label_task import LabelTask


def held_out_sets(task: LabelTask, held: Positions, said: Floats, classifier: Classifier) -> PredictionSets | None:
    """None where no coverage is stated. held: `(H,)` numbers of the held-out labels; said: `(H, K)` probabilities of
    them by trainings without them, scaled; classifier: what ships, at the temperature that it ships with.
    """
    settings = task.params.sets
    if settings is None:
        return None
    actual = task.labels.distributions[held].argmax(axis=1)
    pool = task.predict(classifier, task.pool_rows()) if settings.unlabeled else None
    never = len(task.labels.vouched.ids) - len(held)
    return calibrate(said, actual, settings, never=never, unlabeled=pool)
