"""Two layers for rows of numbers, which only the tests have."""

from torch import Tensor, nn

from components.core.config import Config as BaseConfig
from components.modalities import Input
from components.models.encoders import Encoder


class NumberNet(Encoder):
    """`dim` is 16."""

    takes = ("numbers",)

    class Config(BaseConfig):
        """Nothing to choose."""

    def __init__(self, given: Input, config: Config) -> None:
        super().__init__(given)
        self.layers = nn.Sequential(nn.Linear(*given.shape, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
        self.dim = 16

    def forward(self, views: Tensor) -> Tensor:
        vectors: Tensor = self.layers(views)
        return vectors
