"""Curves over seeds: the t-interval by hand, differences paired by seed, the area, and what is said of them."""

from pathlib import Path

import pandas as pd
import pytest

from pipelines.campaign.curves import Curve, curves, estimate, table
from pipelines.campaign.picture import draw_curves


def _points(**accuracies: list[list[float]]) -> pd.DataFrame:
    """Per strategy one list of accuracies per seed, at 10, 20, 30 ... labels."""
    return pd.DataFrame(
        {"strategy": name, "seed": seed, "labels": 10 * (step + 1), "accuracy": value}
        for name, seeds in accuracies.items()
        for seed, values in enumerate(seeds)
        for step, value in enumerate(values)
    )


def test_the_interval_is_students_t() -> None:
    found = estimate([0.5, 0.6, 0.7], lowest=0)
    assert found.mean == pytest.approx(0.6)
    assert found.low == pytest.approx(0.6 - 4.302653 * 0.1 / 3**0.5)  # t(0.975) of two degrees of freedom
    assert found.high == pytest.approx(0.6 + 4.302653 * 0.1 / 3**0.5)


def test_one_seed_has_no_interval_and_none_leaves_what_can_be() -> None:
    assert estimate([0.4], lowest=0).low is None
    assert (estimate([0.1, 0.9], lowest=0).low, estimate([0.1, 0.9], lowest=0).high) == (0, 1)


def test_differences_are_paired_by_seed() -> None:
    random, margin = curves(_points(random=[[0.2, 0.3], [0.6, 0.9]], margin=[[0.2, 0.4], [0.6, 1.0]]), "random")
    assert random.steps[1].gain is None
    gain = margin.steps[1].gain
    assert gain is not None
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.1, 0.1, 0.1))
    assert margin.steps[1].accuracy.high == 1.0


def test_the_area_is_the_mean_height_of_the_curve() -> None:
    flat, bent = curves(_points(random=[[0.5, 0.5, 0.5]], margin=[[0.0, 0.5, 0.5]]), "random")
    assert (flat.area.mean, bent.area.mean) == pytest.approx((0.5, 0.375))
    assert bent.area_gain is not None
    assert bent.area_gain.mean == pytest.approx(-0.125)


@pytest.mark.parametrize(
    ("gains", "says"),
    [
        ([0.10, 0.11], "better than random"),
        ([-0.10, -0.11], "worse than random"),
        ([-0.1, 0.3], "undecided"),
        ([0.1], "one seed says nothing about chance"),
    ],
)
def test_the_verdict_follows_the_interval(gains: list[float], says: str) -> None:
    base = [[0.5, 0.5] for _ in gains]
    found = curves(_points(random=base, margin=[[0.5 + gain, 0.5 + gain] for gain in gains]), "random")
    assert says in found[1].verdict


def test_the_table_names_every_strategy_at_every_budget() -> None:
    lines = table(_two()).splitlines()
    assert len({len(line) for line in lines[:7]}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:7]]
    assert [row[0] for row in cells] == ["10", "20", "", "average", ""]
    assert [row[1] for row in cells] == ["all", "random", "margin", "random", "margin"]
    assert cells[2][3].startswith("+20.00 (")
    assert lines[-1].startswith("- margin: ")


def test_the_picture_is_the_same_bytes_for_the_same_curves(tmp_path: Path) -> None:
    for name in ("one", "two"):
        draw_curves(tmp_path / f"{name}.png", _two(), title="title")
    draw_curves(tmp_path / "other.png", _two(), title="another title")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()


def _two() -> list[Curve]:
    return curves(_points(random=[[0.5, 0.6], [0.5, 0.7]], margin=[[0.5, 0.8], [0.5, 0.9]]), "random")
