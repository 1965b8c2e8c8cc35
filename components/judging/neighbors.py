"""Who is near whom: nearest neighbors by cosine, of all pairs for few vectors, among k-means cells for many.

A row is compared with the members of the cells whose centers it is nearest to: inverted files, Jegou, Douze & Schmid
2011, https://doi.org/10.1109/TPAMI.2010.57. Here cell by cell, for all rows that look into it at once: products of
dense blocks. In float32: bfloat16 is three times as fast but cannot tell similarities from .996 to 1 apart, which is
where a trained encoder's neighbors are.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from components.core.seeds import torch_generator
from components.methods.clusters import k_means, unit
from components.methods.contracts import Floats, Graph

EXACT = 100_000  # rows up to which all pairs are compared
CELL, PROBES = 500, 8  # members of a cell, about; cells that each row looks into
LEARNED_FROM = 16  # rows per cell that the centers are learned from
ROWS, ROWS_TO_ALL = 4096, 64  # at a time: with a cell, with everything


def neighbor_graph(vectors: Floats, neighbors: int, *, seed: int, exact: int = EXACT) -> Graph:
    """Each row's nearest others of `(M, D)`, nearest first; at most M - 1. Exact up to `exact` rows.

    Beyond, some are missed (`recall` says how many), but the similarities of those found are exact.
    """
    k = min(neighbors, len(vectors) - 1)
    return _exact(vectors, k) if len(vectors) <= exact else _by_cells(vectors, k, seed)


def recall(vectors: Floats, graph: Graph, *, seed: int, sample: int = 500) -> float:
    """Share of the true nearest neighbors that the graph has, on random rows; of equally near ones any counts."""
    points, k, hits = unit(vectors), graph.indices.shape[1], 0
    rows = torch.randperm(len(points), generator=torch_generator(seed, "recall"))[:sample]
    for some in torch.split(rows, ROWS_TO_ALL):
        similarities = points[some] @ points.T
        similarities[torch.arange(len(some)), some] = -2
        least = similarities.topk(k, 1).values[:, -1:]
        hits += int((torch.from_numpy(graph.similarities[some.numpy()]) >= least - 1e-6).sum())
    return float(hits / (len(rows) * k))


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
    found, values = torch.empty(len(points), k, dtype=torch.int64), torch.full((len(points), k), -2.0)
    for rows, members in _visits(probes, sizes):
        new, similarities = _compare(points, rows, members, k)
        values[rows], best = torch.cat([values[rows], similarities], 1).topk(k, 1)
        found[rows] = torch.cat([found[rows], new], 1).gather(1, best)
    few = (sizes[probes].sum(1) <= k).nonzero()[:, 0]  # outliers among outliers look everywhere
    for rows in torch.split(few, ROWS_TO_ALL):
        found[rows], values[rows] = _compare(points, rows, slice(0, len(points)), k)
    back = order.argsort()
    return Graph(order[found[back]].numpy(), values[back].clamp(-1, 1).numpy())


def _probes(points: Tensor, seed: int) -> Tensor:
    """The cells `(M, P)` that each row looks into, its own first."""
    generator, count = torch_generator(seed, "cells"), -(-len(points) // CELL)
    some = torch.randperm(len(points), generator=generator)[: LEARNED_FROM * count]
    centers = k_means(points[some], count, generator).centers.T.contiguous()
    return torch.cat([(rows @ centers).topk(min(PROBES, count), 1).indices for rows in torch.split(points, ROWS)])


def _visits(probes: Tensor, sizes: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Rows that look into a cell, and where its members stand in an order by cell."""
    looks = probes.flatten()
    visitors = torch.split(looks.argsort(stable=True) // probes.shape[1], looks.bincount(minlength=len(sizes)).tolist())
    for rows, end, size in zip(visitors, sizes.cumsum(0).tolist(), sizes.tolist(), strict=True):
        if size:
            yield from ((some, slice(end - size, end)) for some in torch.split(rows, ROWS))


def _compare(points: Tensor, rows: Tensor, members: slice, k: int) -> tuple[Tensor, Tensor]:
    """The up to k most similar members of each row but itself, most similar first: numbers and similarities."""
    products = points[rows] @ points[members].T.contiguous()
    products.masked_fill_(rows[:, None] == torch.arange(members.start, members.stop), -2)
    values, places = products.topk(min(k, products.shape[1]), 1)
    return places + members.start, values
