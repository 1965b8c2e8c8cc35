"""Majority vote: every annotator counts the same."""

from components.core.config import Config as BaseConfig
from components.methods.label_models import Doubles, LabelModel, Votes


class MajorityVote(LabelModel):
    """The share of an item's votes that each class has; annotators who disagree leave a soft label."""

    class Config(BaseConfig):
        """Nothing to set."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def aggregate(self, votes: Votes) -> Doubles:
        """`(N, K)` shares of the votes."""
        return votes.shares()
