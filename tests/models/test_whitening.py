"""What whitening makes of vectors: nothing until it has seen some, then directions without a louder one."""

import torch

from components.models.whitening import LEAST, Whitening


def _correlated(count: int = 2000) -> torch.Tensor:
    """`(count, 3)`: one direction a hundred times as loud as another, and a third that is nearly the sum of both."""
    loud, quiet, noise = torch.randn(3, count, generator=torch.Generator().manual_seed(0))
    return torch.stack([10 * loud, quiet, 10 * loud + quiet + noise], 1) + 5


def test_until_it_is_fitted_vectors_only_get_length_1() -> None:
    vectors = _correlated(4)
    torch.testing.assert_close(Whitening(3, 3)(vectors), vectors / vectors.norm(dim=1, keepdim=True))
    assert torch.equal(Whitening(3, 2)(vectors), torch.zeros(4, 2))


def test_components_do_not_correlate_and_have_a_variance_of_1_but_for_what_is_added() -> None:
    whitening, vectors = Whitening(3, 3), _correlated()
    whitening.fit(vectors)
    covariance = ((vectors.double() - whitening.mean) @ whitening.matrix.double()).T.cov()
    largest = torch.linalg.eigvalsh(vectors.double().T.cov()).flip(0)
    expected = largest / (largest + LEAST * largest[0])
    torch.testing.assert_close(covariance, expected.diag(), atol=1e-4, rtol=1e-4)


def test_fewer_components_are_the_ones_of_most_variance() -> None:
    every, two = Whitening(3, 3), Whitening(3, 2)
    every.fit(_correlated())
    two.fit(_correlated())
    assert torch.equal(two.matrix, every.matrix[:, :2])


def test_units_of_a_vector_do_not_matter() -> None:
    vectors, one, other = _correlated(), Whitening(3, 3), Whitening(3, 3)
    one.fit(vectors)
    other.fit(vectors * 7 - 2)
    torch.testing.assert_close(one(vectors), other(vectors * 7 - 2), atol=1e-4, rtol=1e-4)


def test_what_never_changes_is_no_division_by_0() -> None:
    whitening = Whitening(2, 2)
    whitening.fit(torch.ones(5, 2))
    assert whitening(torch.ones(5, 2)).isfinite().all()
