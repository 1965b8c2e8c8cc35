"""InfoNCE against cross-entropy, lightly and the hard-negative formula as the paper writes it."""

import math

import pytest
import torch
from lightly.loss import NTXentLoss
from torch import Tensor
from torch.nn import functional as F

from components.methods.info_nce import HardNegatives, Negatives, info_nce


def _vectors(queries: int = 5, negatives: int = 9, dim: int = 6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries and positives, negatives, and which are allowed: some, at least one per query."""
    generator = torch.Generator().manual_seed(queries)
    pair = torch.randn(2, queries, dim, generator=generator, dtype=torch.float64)
    others = torch.randn(negatives, dim, generator=generator, dtype=torch.float64)
    allowed = torch.rand(queries, negatives, generator=generator) < 0.6
    allowed[:, 0] = True
    return pair[0].requires_grad_(), pair[1], others, allowed


def test_without_weighting_it_is_cross_entropy_over_the_positive_and_the_negatives() -> None:
    queries, positives, others, allowed = _vectors()
    ours = info_nce(queries, positives, Negatives(others, allowed), 0.2)
    positive = F.cosine_similarity(queries, positives)[:, None]
    negative = F.cosine_similarity(queries[:, None], others[None], dim=2).masked_fill(~allowed, -math.inf)
    plain = F.cross_entropy(torch.cat([positive, negative], 1) / 0.2, torch.zeros(5, dtype=torch.int64))
    torch.testing.assert_close(ours, plain)
    mine, theirs = (torch.autograd.grad(loss, queries)[0] for loss in (ours, plain))
    torch.testing.assert_close(mine, theirs)


def test_it_agrees_with_lightly_and_its_memory_bank() -> None:
    queries, positives, others, _ = _vectors(negatives=16)
    reference = NTXentLoss(0.2, memory_bank_size=(16, 6))
    reference.memory_bank(F.normalize(others.float(), dim=1), update=True)
    bank = reference.memory_bank.bank.clone()
    theirs = reference(queries.float(), positives.float())
    everything = Negatives(bank, torch.ones(5, 16, dtype=torch.bool))
    torch.testing.assert_close(
        info_nce(queries.float(), positives.float(), everything, 0.2), theirs, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("beta", "tau_plus"), [(1.0, 0.0), (0.0, 0.05), (0.5, 0.05)])
def test_hard_negatives_have_the_value_of_the_papers_formula(beta: float, tau_plus: float) -> None:
    queries, positives, others, allowed = _vectors()
    terms = []
    for query, positive, row in zip(queries, positives, allowed, strict=True):
        good = (F.cosine_similarity(query, positive, dim=0) / 0.5).exp()
        bad = (F.cosine_similarity(query[None], others[row]) / 0.5).exp()
        importance = bad**beta
        reweighted = (importance * bad).sum() / importance.mean()
        total = (reweighted - tau_plus * len(bad) * good) / (1 - tau_plus)
        total = total.clamp(min=len(bad) * math.exp(-1 / 0.5))
        terms.append(-(good / (good + total)).log())
    ours = info_nce(queries, positives, Negatives(others, allowed), 0.5, HardNegatives(beta=beta, tau_plus=tau_plus))
    torch.testing.assert_close(ours, torch.stack(terms).mean())


def test_debiasing_stops_at_the_least_a_negative_can_weigh() -> None:
    query, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    negatives = Negatives(other, torch.ones(1, 2, dtype=torch.bool))
    loss = info_nce(query, query, negatives, 1.0, HardNegatives(tau_plus=0.5))  # (1 - e / 2) / 0.5 is below zero
    assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 2 / math.e)))


def test_the_limit_of_concentration_is_that_all_negatives_are_the_hardest() -> None:
    queries, positives, others, allowed = _vectors()
    ours = info_nce(queries, positives, Negatives(others, allowed), 0.5, HardNegatives(beta=1e4))
    hardest = F.cosine_similarity(queries[:, None], others[None], dim=2).masked_fill(~allowed, -2).argmax(1)
    only = F.one_hot(hardest, len(others)).bool()
    each = [
        info_nce(queries[[row]], positives[[row]], Negatives(others, only[[row]], count=int(allowed[row].sum())), 0.5)
        for row in range(len(queries))
    ]
    torch.testing.assert_close(ours, torch.stack(each).mean())


def test_negatives_that_stand_for_twice_as_many_are_as_good_as_their_copies() -> None:
    queries, positives, others, _ = _vectors()
    everything = torch.ones(5, 9, dtype=torch.bool)
    once = info_nce(queries, positives, Negatives(others, everything, count=18), 0.2)
    copied = info_nce(queries, positives, Negatives(others.repeat(2, 1), everything.repeat(1, 2)), 0.2)
    torch.testing.assert_close(once, copied)
    assert once > info_nce(queries, positives, Negatives(others, everything), 0.2)


def test_the_lowest_temperature_allowed_stays_finite_for_opposite_vectors_and_hard_negatives() -> None:
    queries = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    negatives = Negatives(queries.detach(), ~torch.eye(2, dtype=torch.bool))
    loss = info_nce(queries, -queries.detach(), negatives, 0.03, HardNegatives(beta=2, tau_plus=0.1))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(queries.grad).all()
