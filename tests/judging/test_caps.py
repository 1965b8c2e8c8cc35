"""Caps: who stays, in which order the caps apply, and that the most confident come first."""

import numpy as np
import pytest

from components.judging.caps import CapsConfig, Flags, Origins, within_caps

DISTRIBUTIONS = np.array(
    [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.05, 0.95], [0.15, 0.85], [0.25, 0.75], [0.35, 0.65]], np.float32
)
GROUPS = np.array(["a", "a", "a", "b", "c", "d", "e", "f"], object)
FOLDERS = np.array(["cam1", "cam1", "cam1", "cam1", "cam1", "cam2", "cam2", "cam2"], object)
ALL = np.ones(8, bool)


def _left(confident: Flags = ALL, pool: int = 8, **caps: float | None) -> dict[str, list[int]]:
    config = CapsConfig.model_validate({"max_per_class": None, "max_per_group": None, "max_per_folder": None, **caps})
    within = within_caps(confident, DISTRIBUTIONS, Origins(GROUPS, FOLDERS), config, pool=pool)
    return {name: np.flatnonzero(flags).tolist() for name, flags in vars(within).items()}


def test_without_caps_all_confident_ones_stay() -> None:
    confident = np.array([True, False] * 4)
    assert _left(confident) == {"group": [0, 2, 4, 6], "folder": [0, 2, 4, 6], "all": [0, 2, 4, 6]}


@pytest.mark.parametrize(("cap", "left"), [(1, [0, 3, 4, 5, 6, 7]), (2, [0, 1, 3, 4, 5, 6, 7])])
def test_of_near_duplicates_the_most_confident_stay(cap: int, left: list[int]) -> None:
    assert _left(max_per_group=cap)["group"] == left


def test_a_folder_gives_no_more_than_its_share_of_the_pool() -> None:
    assert _left(max_per_folder=0.25)["folder"] == [0, 4, 5, 6]  # two of eight
    assert _left(max_per_folder=0.25, pool=4)["folder"] == [4, 5]
    assert _left(max_per_folder=1.0)["folder"] == list(range(8))


def test_a_class_takes_no_more_than_its_even_shares() -> None:
    assert _left(max_per_class=0.5)["all"] == [0, 1, 4, 5]  # half of eight over two classes


def test_each_cap_counts_what_those_before_left() -> None:
    assert _left(max_per_group=1, max_per_folder=0.25, max_per_class=0.25) == {
        "group": [0, 3, 4, 5, 6, 7],
        "folder": [0, 4, 5, 6],
        "all": [0, 4],
    }
