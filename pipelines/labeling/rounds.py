"""Which round of the ledger new answers belong to."""

from collections.abc import Collection

import pandas as pd

from components.datasets.ledger import LAST_ROUND
from pipelines.labeling.standing import answers_that_stand


def round_of(ledger: pd.DataFrame, ids: Collection[str]) -> int:
    """The round of the answers that samples of these ids have already; else one more than the last."""
    answered = answers_that_stand(ledger)
    begun = max(answered.loc[answered["id"].isin(list(ids)), "round"].tolist(), default=0)
    return int(begun or min(max(ledger["round"].tolist(), default=0) + 1, LAST_ROUND))
