"""Names: which two are likely one, misspelled."""

import pytest

from components.datasets.names import likely_slip


@pytest.mark.parametrize(
    ("name", "count", "other", "more", "slip"),
    [
        ("Cat", 5, "cat", 5, True),  # alike but for case: with equal counts too
        ("с\u0430t", 90, "cat", 100, True),  # Cyrillic letters
        ("catt", 2, "cat", 3, True),
        ("act", 2, "cat", 3, True),
        ("catt", 3, "cat", 29, False),  # neither few nor rare
        ("catt", 3, "cat", 30, True),
        ("catt", 2, "cat", 2, False),
        ("car", 2, "cat", 3, False),  # one letter replaced in a short name: two classes, unless rare
        ("car", 2, "cat", 20, True),
        ("tower", 2, "tovver", 3, False),
        ("tawer", 2, "tower", 3, True),
        ("an", 1, "ant", 50, False),
        ("grade 1", 1, "grade 2", 50, False),
        ("grade 10", 1, "grade 1", 50, False),
        ("class a", 1, "class b", 50, False),
        ("dog", 1, "cat", 50, False),
    ],
)
def test_a_name_is_a_slip_where_it_looks_alike_or_is_rare_beside_one_a_letter_away(
    name: str, count: int, other: str, more: int, slip: bool
) -> None:
    assert likely_slip(name, count, other, more) == slip
