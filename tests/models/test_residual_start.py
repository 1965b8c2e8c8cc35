"""Initial weights: what layers add is smaller than the words they are added to."""

import torch
from torch import nn

from components.models.residual_start import DEVIATION, start_small
from components.models.transformer_row import TransformerRow
from components.models.word_decoder import WordDecoder


def test_a_word_leaves_new_blocks_as_it_came() -> None:
    torch.manual_seed(0)
    tokens, mask = torch.randn(8, 16, 64) * DEVIATION, torch.ones(8, 16, dtype=torch.bool)
    row = TransformerRow(64, 4, 4, causal=False, rotary=True).requires_grad_(False)
    left = row(tokens, mask)
    assert torch.cosine_similarity(left, tokens, dim=2).min() > 0.5
    said = WordDecoder(64, 64, 4, 2).requires_grad_(False)
    said.norm = nn.Identity()  # type: ignore[assignment]
    assert torch.cosine_similarity(said(tokens, tokens, mask), tokens, dim=2).min() > 0.5


def test_layers_that_add_are_smaller_by_the_root_of_their_number() -> None:
    torch.manual_seed(0)
    module = nn.ModuleList(nn.Linear(500, 500) for _ in range(5))
    start_small(module, [module[0], module[1], module[2], module[3]])  # type: ignore[list-item]
    deviations: list[float] = [float(layer.weight.detach().std()) for layer in module]  # type: ignore[union-attr, operator]
    torch.testing.assert_close(deviations, [DEVIATION / 2] * 4 + [DEVIATION], rtol=0.02, atol=0)
    assert all(not layer.bias.any() for layer in module)  # type: ignore[union-attr, operator]
