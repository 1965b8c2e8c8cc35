"""The classifier as a server offers it: pictures as a client has them in, class probabilities out."""

from torch import Tensor, nn

from components.models.classifier import Classifier


class ServingClassifier(nn.Module):
    """`(N, S, S, C)` uint8 pictures, rows of pixels with the colors last -> `(N, K)` class probabilities."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, S, S, C)` uint8 -> `(N, K)` float32, rows sum to 1, columns in the order of the class names."""
        probabilities: Tensor = self.classifier(pictures.permute(0, 3, 1, 2))
        return probabilities
