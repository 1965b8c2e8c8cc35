"""Pools to query, and one way to ask."""

import numpy as np
import torch

from components.core.config import PluginChoice
from components.core.plugins import build
from components.methods.contracts import Floats, Pool, Positions

NOTHING = np.zeros(0, np.int64)


def ask(name: str, pool: Pool, budget: int, seed: int = 0, **options: object) -> Positions:
    strategy = build("query_strategy", PluginChoice(name=name, **options), where="test")
    chosen: Positions = strategy.query(pool, budget, torch.Generator().manual_seed(seed))
    return chosen


def scattered(count: int = 120, classes: int = 4) -> Pool:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(count, 6)).astype(np.float32)
    probabilities = generator.dirichlet(np.ones(classes), count).astype(np.float32)
    labeled = np.arange(0, count, 10)
    candidates = np.setdiff1d(np.arange(count), labeled)
    features = generator.normal(size=(len(candidates), 5)).astype(np.float32)
    draws = generator.dirichlet(np.ones(classes), (3, len(candidates))).astype(np.float32)
    return Pool(vectors, labeled, candidates, probabilities, features, draws)


def identical(count: int = 12, labeled: int = 2) -> Pool:
    vectors, halves = np.ones((count, 3), np.float32), np.full((count, 2), 0.5, np.float32)
    candidates = np.arange(labeled, count)
    return Pool(vectors, np.arange(labeled), candidates, halves, vectors[labeled:], halves[None, labeled:])


def blobs(sizes: tuple[int, ...], spread: float = 0.05) -> Floats:
    """Groups around the axes, one after the other."""
    generator = np.random.default_rng(0)
    centers = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    return (centers + spread * generator.normal(size=centers.shape)).astype(np.float32)
