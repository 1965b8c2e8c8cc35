"""Randomness is a function of the seed and of names."""

import numpy as np
import torch

from components.core.seeds import derive, numpy_generator, torch_generator, uniform


def test_every_purpose_has_a_stream_of_its_own() -> None:
    seeds = [derive(seed, *names) for seed in range(3) for names in ((), ("a",), ("a", 1), ("a", 2), ("a1",))]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_same_seed_and_names_give_the_same_numbers() -> None:
    assert np.array_equal(numpy_generator(1, "x").random(5), numpy_generator(1, "x").random(5))
    assert torch.equal(
        torch.rand(5, generator=torch_generator(1, "x")), torch.rand(5, generator=torch_generator(1, "x"))
    )


def test_a_derived_seed_is_the_same_for_ever() -> None:
    assert derive(0, "label", "folds") == 8470426185827437116


def test_a_sample_gets_its_numbers_whatever_the_order() -> None:
    samples = np.arange(10, dtype=np.int64)
    order = np.random.default_rng(0).permutation(10)
    assert np.array_equal(uniform(5, samples, 4)[order], uniform(5, samples[order], 4))


def test_more_draws_begin_with_the_same_ones() -> None:
    samples = np.arange(10, dtype=np.int64)
    assert np.array_equal(uniform(5, samples, 8)[:, :4], uniform(5, samples, 4))


def test_uniform_numbers_are_uniform_and_below_one() -> None:
    numbers = uniform(7, np.arange(20_000, dtype=np.int64), 5)
    assert numbers.dtype == np.float32
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.005
    assert abs(numbers.var() - 1 / 12) < 0.002
    correlation = np.corrcoef(numbers.T)
    assert np.abs(correlation - np.eye(5)).max() < 0.03
    assert np.abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.03
