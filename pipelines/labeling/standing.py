"""The answers that stand: labels in force, and of those who could give none that they could not."""

import pandas as pd

from components.datasets.ledger import passed, standing


def answers_that_stand(ledger: pd.DataFrame) -> pd.DataFrame:
    """Rows of the ledger that are neither replaced nor withdrawn, in file order."""
    last = standing(ledger)
    return last[(last["label"] != "") | passed(last)]
