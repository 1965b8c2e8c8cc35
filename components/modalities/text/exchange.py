"""Words of a text exchanged for others that say nearly the same, out of a table of these."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.core.seeds import uniform
from components.modalities import Positions
from components.modalities.text.vocabulary import FIRST, PAD, Vocabulary


class Exchange:
    """others: for a word those that may stand in its place; what is no single entry of the vocabulary is left out.

    Of a vocabulary of word pieces only a word that is a piece of its own is exchanged.
    """

    def __init__(self, others: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> None:
        numbers = {entry: number for number, entry in enumerate(vocabulary.entries, FIRST)}
        known = {
            numbers[word]: [numbers[one] for one in near if one in numbers]
            for word, near in others.items()
            if word in numbers
        }
        self.counts = np.zeros(len(vocabulary), np.int64)
        self.table = np.zeros((len(vocabulary), max(1, max(map(len, known.values()), default=1))), np.int64)
        for number, near in known.items():
            self.counts[number] = len(near)
            self.table[number, : len(near)] = near
        goes_on = [entry.startswith("##") for entry in vocabulary.entries] if vocabulary.kind == "wordpiece" else []
        self.goes_on: npt.NDArray[np.bool_] = np.zeros(len(vocabulary), np.bool_)
        self.goes_on[FIRST : FIRST + len(goes_on)] = goes_on

    def __call__(self, tokens: Tensor, chance: float, keys: Positions, seed: int) -> Tensor:
        """Numbers `(B, T)`, each word with that chance another; a function of seed, key and text alone."""
        numbers = tokens.cpu().numpy()
        draws = uniform(seed, keys, 2 * numbers.shape[1])
        followed = np.zeros(numbers.shape, np.bool_)
        followed[:, :-1] = self.goes_on[numbers[:, 1:]]
        counts = np.where(followed, 0, self.counts[numbers])
        chosen = (draws[:, ::2] < chance) & (counts > 0) & (numbers != PAD)
        which = np.minimum((draws[:, 1::2] * counts).astype(np.int64), np.maximum(counts - 1, 0))
        return torch.from_numpy(np.where(chosen, self.table[numbers, which], numbers)).to(tokens.device)
