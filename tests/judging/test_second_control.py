"""The second control ships where it leads on held-out labels, and says when that may be chance."""

import numpy as np
import pytest

from components.judging.second_control import compare


@pytest.mark.parametrize(
    ("first", "second", "ships", "chance"), [(20, 40, True, False), (38, 39, True, True), (39, 38, False, True)]
)
def test_a_lead_ships_and_is_called_what_it_is(first: int, second: int, ships: bool, chance: bool) -> None:
    opinion = compare("scratch", np.arange(40) < first, np.arange(40) < second)
    assert (opinion.ships, opinion.first_right, opinion.second_right) == (ships, first, second)
    assert ("which could be chance" in opinion.why) == chance


def test_a_tie_changes_nothing() -> None:
    opinion = compare("probe", np.arange(40) < 30, np.arange(40) >= 10)
    assert not opinion.ships
    assert opinion.why == (
        "A linear probe of the encoder as it was, on labels alone, names 30 of 40 held-out labels right, the adapted "
        "one 30: so it does not ship."
    )
