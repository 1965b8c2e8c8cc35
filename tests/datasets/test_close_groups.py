"""Near-duplicate groups that cannot be right end in a sentence that names the setting; a few odd ones are said."""

from collections.abc import Sequence

import pandas as pd
import pytest

from components.core.errors import WinnowError
from components.datasets.close_groups import check_groups


def listing(
    groups: list[str], labels: Sequence[str | None], given: str | None = None, splits: str = ""
) -> pd.DataFrame:
    split = [{"e": "test"}.get(letter, "train") for letter in splits or "r" * len(groups)]
    paths = [f"{number:03d}.png" for number in range(len(groups))]
    columns = {"path": paths, "group": groups, "label": labels, "given": split if given else None, "split": split}
    return pd.DataFrame(columns)


def apart(count: int, name: str = "") -> list[str]:
    return [f"{name}{number}" for number in range(count)]


IMPOSSIBLE = {
    "a fixed camera": (
        listing(["g"] * 20 + apart(30), ["ok", "spot"] * 25),
        "20 of 50 .* the classes 'ok', 'spot'",
    ),
    "no label at all": (listing(["g"] * 30 + apart(20), [None] * 50), "30 of 50 samples"),
    "a camera for each class": (listing(["g"] * 20 + apart(30), ["ok"] * 20 + ["no"] * 30), "all 20 .* class 'ok'"),
    "own folders": (
        listing([*apart(30), *apart(15)], ["ok"] * 45, given="yes", splits="r" * 30 + "e" * 15),
        "15 of 30 training samples are near-duplicates of test samples",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_groups_that_cannot_be_right_name_the_setting(case: str) -> None:
    rows, says = IMPOSSIBLE[case]
    with pytest.raises(WinnowError, match=rf"{says}.*set ingest.near_duplicates: exact"):
        check_groups(rows, "close")
    with pytest.raises(WinnowError, match=r"set ingest\.near_duplicates: off"):
        check_groups(rows, "exact")
    assert check_groups(rows, "off") == []


def test_a_pair_with_two_classes_is_said_and_bursts_are_nothing_odd() -> None:
    rows = listing(["g", "g", *apart(40)], ["cat", "dog", *["cat", "dog"] * 20])
    together, said = check_groups(rows, "close")
    assert together.startswith("2 samples are nearly the same as others, such as ")
    assert "000.png ('cat') and 001.png ('dog'): is a label wrong?" in said
    bursts = [f"g{number // 4}" for number in range(80)]
    (said,) = check_groups(listing(bursts, ["cat"] * 40 + ["dog"] * 40), "close")
    assert said.startswith("80 samples are nearly the same as others")


def test_what_very_many_share_is_named_as_the_reason() -> None:
    rows, says = next(iter(IMPOSSIBLE.values()))
    with pytest.raises(WinnowError, match=rf"{says}.*by ingest.near_duplicates: close, and all of them begin alike\."):
        check_groups(rows, "close", ["all of them begin alike."])
