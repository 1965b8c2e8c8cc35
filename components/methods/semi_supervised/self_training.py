"""Self-training: a teacher labels what it is sure of, a student learns from both, and teaches next.

Yarowsky 1995, https://doi.org/10.3115/981658.981684.
"""

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from components.core.config import Config as BaseConfig
from components.methods.contracts import Floats, PoolTask, SemiSupervisedMethod


class SelfTraining(SemiSupervisedMethod):
    """Multinomial logistic regression, trained again each round on labels and confident pseudo-labels.

    It sees unit vectors around their mean and has no biases: with few labels a bias is what lets one class flood the
    pool round by round. Zero rounds is supervised learning; threshold 0 is plain pseudo-labeling of the whole pool.
    Sources: Yarowsky 1995, https://aclanthology.org/P95-1026; pseudo-labels: Lee 2013.
    """

    class Config(BaseConfig):
        """rounds: students after the first teacher; threshold: confidence from which a sample teaches;
        regularization: of the weights' squared norm; soft: learn from distributions in place of the likeliest class.
        """

        rounds: int = Field(3, ge=0)
        threshold: float = Field(0.7, ge=0, le=1)
        regularization: float = Field(1e-4, gt=0)
        soft: bool = False

        def unused(self) -> dict[str, str]:
            """As the base says."""
            return {} if self.rounds else dict.fromkeys(("threshold", "soft"), "rounds is 0, so that nothing teaches")

    def __init__(self, config: Config) -> None:
        self.config = config

    def pseudo_label(self, task: PoolTask) -> Floats:
        """`(N, K)`; labeled samples keep their labels."""
        vectors = F.normalize(torch.as_tensor(task.vectors, dtype=torch.float32), dim=1)
        vectors = F.normalize(vectors - vectors.mean(0), dim=1)
        labeled, targets = torch.as_tensor(task.labeled), torch.as_tensor(task.targets, dtype=torch.float32)
        vectors_l, fit = vectors[labeled], self.config.regularization
        probabilities = _predict(vectors, logistic_regression(vectors_l, targets, fit))
        for _ in range(self.config.rounds):
            confident = probabilities.max(1).values >= self.config.threshold
            confident[labeled] = False
            guesses = probabilities[confident]
            if not self.config.soft:
                guesses = F.one_hot(guesses.argmax(1), targets.shape[1]).float()
            student = logistic_regression(
                torch.cat([vectors_l, vectors[confident]]), torch.cat([targets, guesses]), fit
            )
            probabilities = _predict(vectors, student)
        probabilities[labeled] = targets
        return np.asarray(probabilities.numpy(), np.float32)


def logistic_regression(vectors: Tensor, targets: Tensor, regularization: float) -> Tensor:
    """The one minimum `(D, K)` of the mean cross-entropy plus L2, by L-BFGS; no biases, as said above.

    vectors: `(L, D)`; targets: `(L, K)` class distributions.
    """
    parameters = torch.zeros(vectors.shape[1], targets.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(vectors @ parameters, targets) + regularization / 2 * parameters.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return parameters.detach()


def _predict(vectors: Tensor, parameters: Tensor) -> Tensor:
    return torch.softmax(vectors @ parameters, dim=1)
