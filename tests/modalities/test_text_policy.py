"""What policies do to texts: nothing by default, spans in a row, never all words, the same in any batch."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from components.modalities.text.policy import Policy, changed

ROWS = torch.tensor([[*range(2, 22)], [*range(2, 12), *[0] * 10], [2, *[0] * 19], [0] * 20])
KEYS = np.arange(4)


def _kept(row: torch.Tensor) -> list[int]:
    return [number for number in row.tolist() if number]


def test_the_policy_that_says_nothing_changes_nothing() -> None:
    assert torch.equal(changed(ROWS, Policy(), KEYS, 0), ROWS)


@pytest.mark.parametrize("seed", range(5))
def test_a_crop_is_a_span_of_the_wanted_length(seed: int) -> None:
    cut = changed(ROWS, Policy(crop=(0.3, 0.5)), KEYS, seed)
    assert cut.shape == ROWS.shape
    for row, whole in zip(cut[:2], (20, 10), strict=True):
        kept = _kept(row)
        assert kept == list(range(kept[0], kept[0] + len(kept)))
        assert 0.3 * whole <= len(kept) <= 0.5 * whole + 1
    assert _kept(cut[2]) == [2]
    assert _kept(cut[3]) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_word_always_stays(seed: int) -> None:
    cut = changed(ROWS, Policy(crop=(0.1, 0.2), drop=0.95), KEYS, seed)
    assert all(_kept(row) for row in cut[:3])


def test_shares_are_those_of_the_chances() -> None:
    rows, keys = torch.arange(2, 402).repeat(50, 1), np.arange(50)
    assert (changed(rows, Policy(drop=0.3), keys, 0) != 0).float().mean().item() == pytest.approx(0.7, abs=0.02)
    assert (changed(rows, Policy(mask=0.3), keys, 0) == 1).float().mean().item() == pytest.approx(0.3, abs=0.02)
    swapped = changed(rows, Policy(swap=0.2), keys, 0)
    assert torch.equal(swapped.sort(1).values, rows)
    assert 0.2 < (swapped != rows).float().mean() < 0.4
    assert (swapped - rows).abs().max() == 1


def test_what_is_done_to_a_text_does_not_depend_on_its_batch() -> None:
    policy = Policy(crop=(0.3, 0.9), drop=0.2, swap=0.2, mask=0.2)
    together = changed(ROWS, policy, KEYS, 7)
    for row in range(4):
        assert torch.equal(changed(ROWS[row : row + 1], policy, KEYS[row : row + 1], 7)[0], together[row])
    assert not torch.equal(changed(ROWS, policy, KEYS, 8), together)


@pytest.mark.parametrize("wrong", [{"crop": (0.5, 0.2)}, {"crop": (0.0, 1.0)}, {"drop": 1.0}, {"swap": -0.1}])
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(wrong)
