"""Who is near whom: nearest neighbors by cosine, of all pairs for few vectors, among k-means cells for many.

A row is compared with the members of the cells whose centers it is nearest to: inverted files, Jegou, Douze & Schmid
2011, https://doi.org/10.1109/TPAMI.2010.57. Here cell by cell, for all rows that look into it at once: products of
dense blocks, in bfloat16 where the processor has it.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from components.core.seeds import torch_generator
from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Graph
from components.training.precision import autocast

EXACT = 100_000  # rows up to which all pairs are compared
CELL, PROBES = 500, 8  # members of a cell, about; cells that each row looks into
LEARNED_FROM = 16  # rows per cell that the centers are learned from
SPARE = 8  # neighbors more than wanted that bfloat16 finds, for float32 to choose from
ROWS, ROWS_TO_ALL = 4096, 64  # at a time: with a cell, with everything


def nearest(vectors: Floats, neighbors: int, *, seed: int, exact: int = EXACT) -> Graph:
    """Each row's nearest others of `(M, D)`, nearest first; at most M - 1. Exact up to `exact` rows.

    Beyond, some are missed (`recall` says how many), but the similarities of those found are right to float32.
    """
    k = min(neighbors, len(vectors) - 1)
    return _exact(vectors, k) if len(vectors) <= exact else _by_cells(vectors, k, seed)


def recall(vectors: Floats, graph: Graph, *, seed: int, sample: int = 500) -> float:
    """Share of the true nearest neighbors that the graph has, on a random sample of rows; any of equally near counts."""
    points, hits = unit(vectors), 0.0
    rows = torch.randperm(len(points), generator=torch_generator(seed, "recall"))[:sample]
    for some in rows.split(ROWS_TO_ALL):
        similarities = points[some] @ points.T
        similarities[torch.arange(len(some)), some] = -2
        least = similarities.topk(graph.indices.shape[1], 1).values[:, -1:]
        hits += float((torch.from_numpy(graph.similarities[some.numpy()]) >= least - 1e-6).sum())
    return hits / (len(rows) * graph.indices.shape[1])


def _exact(vectors: Floats, k: int) -> Graph:
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    points = np.ascontiguousarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
    index = faiss.IndexFlatIP(points.shape[1])
    index.add(points)
    similarities, indices = index.search(points, k + 1)
    others = indices != np.arange(len(points))[:, None]
    others[others.all(axis=1), -1] = False  # among more than k copies, the sample itself need not be found
    shape = (len(points), k)
    return Graph(indices[others].reshape(shape), np.clip(similarities[others].reshape(shape), -1, 1))


def _by_cells(vectors: Floats, k: int, seed: int) -> Graph:
    points = unit(vectors)
    probes = _probes(points, seed)
    order = probes[:, 0].argsort(stable=True)
    points, probes = points[order], probes[order]
    sizes = probes[:, 0].bincount(minlength=int(probes.max()) + 1)
    found = torch.empty(len(points), min(k + SPARE, len(points) - 1), dtype=torch.int64)
    values = torch.full(found.shape, -2.0)
    for rows, members in _visits(probes, sizes):
        new, similarity = _compare(points, rows, members, found.shape[1])
        values[rows], best = torch.cat([values[rows], similarity], 1).topk(found.shape[1], 1)
        found[rows] = torch.cat([found[rows], new], 1).gather(1, best)
    few = (sizes[probes].sum(1) <= found.shape[1]).nonzero().flatten()  # outliers among outliers look everywhere
    for rows in few.split(ROWS_TO_ALL):
        found[rows] = _compare(points, rows, slice(0, len(points)), found.shape[1])[0]
    indices, similarities = _ranked(points, found, k)
    back = order.argsort()
    return Graph(order[indices[back]].numpy(), similarities[back].numpy())


def _probes(points: Tensor, seed: int) -> Tensor:
    """The cells `(M, P)` that each row looks into, its own first."""
    generator, count = torch_generator(seed, "cells"), -(-len(points) // CELL)
    some = torch.randperm(len(points), generator=generator)[: LEARNED_FROM * count]
    centers = k_means(points[some], count, generator).centers
    with autocast("auto", points.device):
        nearest_first = [(rows @ centers.T).topk(min(PROBES, count), 1).indices for rows in points.split(ROWS)]
    return torch.cat(nearest_first)


def _visits(probes: Tensor, sizes: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Rows that look into a cell, and where its members stand in an order by cell."""
    visitors = (probes.flatten().argsort(stable=True) // probes.shape[1]).split(
        probes.flatten().bincount(minlength=len(sizes)).tolist()
    )
    ends = sizes.cumsum(0).tolist()
    for rows, end, size in zip(visitors, ends, sizes.tolist(), strict=True):
        if size:
            yield from ((some, slice(end - size, end)) for some in rows.split(ROWS))


def _compare(points: Tensor, rows: Tensor, members: slice, count: int) -> tuple[Tensor, Tensor]:
    """The most similar members of each row but itself, `(R, up to count)`, and how similar, roughly."""
    with autocast("auto", points.device):
        products = points[rows] @ points[members].T
    products.masked_fill_(rows[:, None] == torch.arange(members.start, members.stop), -2)
    best = products.topk(min(count, products.shape[1]), 1, sorted=False)
    return best.indices + members.start, best.values.float()


def _ranked(points: Tensor, found: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of those found, `(M, k)`, and their similarities in float32."""
    indices, similarities = [], []
    for rows, others in zip(points.split(ROWS), found.split(ROWS), strict=True):
        best = torch.bmm(points[others], rows[:, :, None])[:, :, 0].topk(k, 1)
        indices.append(others.gather(1, best.indices))
        similarities.append(best.values.clamp(-1, 1))
    return torch.cat(indices), torch.cat(similarities)
