"""Who is near whom by what happens in which order: dynamic time warping, a sample against many at once.

Sakoe & Chiba 1978, https://doi.org/10.1109/TASSP.1978.1163055: the symmetric form, in which a step that moves both
sequences on counts twice, so that a path's length is the sum of theirs whichever way it takes.
"""

import numpy as np
import torch
from torch import Tensor

from components.methods.contracts import Graph
from components.modalities import Positions

EXACT = 5_000  # sequences up to which all pairs are compared; beyond, those near by their vectors
CANDIDATES = 200  # of each sequence, then
AT_ONCE = 2**22  # cells of tables that are in memory together


def warped_graph(sequences: Tensor, lengths: Tensor, neighbors: int, candidates: Positions | None = None) -> Graph:
    """Each sequence's nearest others, nearest first; at most N - 1. sequences `(N, T, F)`, lengths `(N,)` at least 1.

    candidates `(N, C)`: those that each is compared with; None: all. similarities are 1 at a distance of 0 and 0 at the
    largest there is.
    """
    count = len(sequences)
    k = min(neighbors, count - 1 if candidates is None else candidates.shape[1])
    found = np.empty((count, k), np.int64)
    distances = np.empty((count, k), np.float32)
    own = torch.full((count, count), float("inf")) if candidates is None else None
    for row in range(count):
        others = torch.arange(row + 1, count) if candidates is None else torch.from_numpy(candidates[row])
        far = warped(sequences[row, : int(lengths[row])], sequences, lengths, others)
        if own is not None:
            own[row, row + 1 :] = own[row + 1 :, row] = far
            far, others = own[row], torch.arange(count)
        values, places = far.sort(stable=True)
        found[row], distances[row] = others[places[:k]].numpy(), values[:k].numpy()
    return Graph(found, np.asarray(1 - distances / max(float(distances.max(initial=0)), 1e-12), np.float32))


def warped(one: Tensor, sequences: Tensor, lengths: Tensor, others: Tensor) -> Tensor:
    """`(M,)` distances of one sequence `(T, F)` to those of `others` `(M,)` among `sequences`: the least sum of
    Euclidean distances along a path through both, over their lengths together."""
    found = [one.new_empty(0)]
    if not len(others):
        return found[0]
    most = max(1, AT_ONCE // max(1, len(one) * (sequences.shape[1] + len(one))))
    for part in torch.split(others, most):
        sizes = lengths[part]
        found.append(_to_many(one, sequences[part, : int(sizes.max())], sizes))
    return torch.cat(found)


def _to_many(one: Tensor, many: Tensor, sizes: Tensor) -> Tensor:
    """Diagonal by diagonal of all tables: a cell needs those left of it, above it, and between these."""
    rows, columns, width = len(one), many.shape[1], many.shape[1] + len(one)
    costs = one.new_full((rows, width, len(many)), float("inf"))
    costs[:, :columns] = torch.cdist(one[None].expand(len(many), -1, -1), many).permute(1, 2, 0)
    skewed = costs.as_strided(  # [d, i] is the cell in row i and column d - i; what is outside is infinitely far
        (rows + columns - 1, rows, len(many)), (len(many), (width - 1) * len(many), 1)
    )
    last, before = (one.new_full((rows + 1, len(many)), float("inf")) for _ in range(2))
    before[0] = 0
    found = one.new_empty(len(many))
    for diagonal, cost in enumerate(skewed):
        now = torch.full_like(last, float("inf"))
        straight = torch.minimum(last[:-1], last[1:]) + cost
        now[1:] = torch.minimum(straight, before[:-1] + 2 * cost)
        done = sizes - 1 + rows - 1 == diagonal
        found[done] = now[rows, done]
        last, before = now, last
    return found / (sizes + rows)
