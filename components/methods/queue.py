"""A queue of the vectors of the latest batches: more to compare with than one batch holds.

He et al. 2020, MoCo, https://arxiv.org/abs/1911.05722 (section 3.2).
"""

import torch
from torch import Tensor, nn


class Queue(nn.Module):
    """`vectors` `(K, D)`, newest first, and the `keys` `(K,)` of their samples, -1 where there was none yet."""

    vectors: Tensor
    keys: Tensor

    def __init__(self, size: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(size, dim))
        self.register_buffer("keys", torch.full((size,), -1))

    @torch.no_grad()
    def with_newest(self, vectors: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """`(B + K, D)` and `(B + K,)`: these, then what the queue holds; the queue stays as it is."""
        return torch.cat([vectors, self.vectors.to(vectors.dtype)]), torch.cat([keys, self.keys])

    @torch.no_grad()
    def push(self, vectors: Tensor, keys: Tensor) -> None:
        """Put these in front; the oldest fall out."""
        vectors, keys = self.with_newest(vectors, keys)
        self.vectors.copy_(vectors[: len(self.vectors)])
        self.keys.copy_(keys[: len(self.keys)])


def of_others(keys: Tensor, candidates: Tensor) -> Tensor:
    """`(M, N)`: true where the candidate `(N,)` is there and of another sample than the one of `keys` `(M,)`."""
    return (candidates != keys[:, None]) & (candidates >= 0)
