"""Files of made pictures: known by their content, and what the ledger labels of them must be there unchanged."""

from pathlib import Path

import numpy as np
import pytest

from components.core.errors import WinnowError
from components.datasets.synthetic import (
    PREFIX,
    file_of,
    identity_of,
    is_synthetic,
    read_content,
    read_synthetic,
    write_synthetic,
)


def test_the_id_is_the_contents_and_says_what_it_is() -> None:
    assert identity_of(b"one") == identity_of(b"one") != identity_of(b"two")
    assert identity_of(b"one").startswith(PREFIX)
    assert is_synthetic(identity_of(b"one"))
    assert not is_synthetic("3f2a9c0011223344")


def test_a_labeled_picture_is_read_and_a_missing_or_changed_one_is_refused(tmp_path: Path) -> None:
    identity = identity_of(b"one")
    with pytest.raises(WinnowError, match=r"missing, but the ledger labels it: restore it from git, or withdraw"):
        read_content(tmp_path, identity)
    file_of(tmp_path, identity).write_bytes(b"one")
    assert read_content(tmp_path, identity) == b"one"
    file_of(tmp_path, identity).write_bytes(b"two")
    with pytest.raises(WinnowError, match="changed since it was made"):
        read_content(tmp_path, identity)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_written_is_read_also_when_it_is_nothing(tmp_path: Path, count: int) -> None:
    ids = [f"{PREFIX}{number}" for number in range(count)]
    distributions = np.random.default_rng(0).dirichlet([1, 1, 1], count).astype(np.float32).reshape(-1, 3)
    contents = [bytes([number, 0, 255]) for number in range(count)]
    write_synthetic(tmp_path / "made.parquet", ids, distributions, contents)
    read = read_synthetic(tmp_path / "made.parquet")
    assert read[0] == ids
    assert read[2] == contents
    np.testing.assert_array_equal(read[1], distributions)
