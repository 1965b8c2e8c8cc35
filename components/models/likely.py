"""One of the likeliest answers, drawn by its chance among them: what generated texts are made by."""

import torch
from torch import Tensor


def drawn(scores: Tensor, lots: Tensor, among: int) -> Tensor:
    """Scores `(M, V)` and lots `(M,)` in [0, 1) -> `(M,)` which of the V: of the `among` highest (Fan, Lewis & Dauphin
    2018, https://arxiv.org/abs/1805.04833) one by its softmax among these; with one, the highest.
    """
    likely = scores.topk(min(among, scores.shape[1]), dim=1)
    sums = likely.values.double().softmax(1).cumsum(1)
    places = (sums <= lots.to(sums)[:, None]).sum(1).clamp_max(sums.shape[1] - 1)
    return likely.indices.gather(1, places[:, None])[:, 0].to(torch.int64)
