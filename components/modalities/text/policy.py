"""What may be done to a text before a model sees it: a part of it, words left out, exchanged, hidden, other ones."""

from pathlib import PurePosixPath
from typing import Annotated

import numpy as np
import torch
from pydantic import AfterValidator, Field, field_validator, model_validator
from torch import Tensor

from components.core.config import Config
from components.core.seeds import uniform
from components.modalities import Positions
from components.modalities.text.vocabulary import PAD, UNKNOWN

Share = Annotated[float, Field(gt=0, le=1)]
Chance = Annotated[float, Field(ge=0, lt=1)]
WATCHED = "data/weights"  # by DVC, so that what a policy takes from there makes stages stale when it changes


def _watched(path: str) -> str:
    place = PurePosixPath(path)
    if ".." in place.parts or not place.is_relative_to(WATCHED) or place == PurePosixPath(WATCHED):
        raise ValueError(f"a path below {WATCHED}, which DVC watches: put it there")
    return str(place)


Place = Annotated[str, AfterValidator(_watched)]


class Synonyms(Config):
    """Each word with that chance becomes one of its `nearest` most likely others, drawn evenly.

    vectors: an encoder's file with a table of words, whose nearest by cosine they are; wordnet: a folder of WordNet's
    files, by its most usual senses first (Miller 1995; replacement: Wei & Zou 2019). One of the two.
    """

    chance: Share
    vectors: Place | None = None
    wordnet: Place | None = None
    nearest: int = Field(5, ge=1, le=100)

    @model_validator(mode="after")
    def _one_source(self) -> "Synonyms":
        if (self.vectors is None) == (self.wordnet is None):
            raise ValueError("a block with either vectors (an encoder's file) or wordnet (a folder)")
        return self

    @property
    def said(self) -> str:
        """In a few words."""
        return f"synonyms {self.chance:g} of {self.vectors or self.wordnet}"


class Rewritten(Config):
    """With that chance a text is seen as one of its versions in the file, where it has any: a table with columns `id`
    (of the manifest) and `text`, a row for each version, such as `winnow rewrite` makes.
    """

    chance: Share
    file: Place

    @property
    def said(self) -> str:
        """In a few words."""
        return f"rewritten {self.chance:g} of {self.file}"


class Policy(Config):
    """crop: shares, least and most, of a text's words that stay, in a row: a span of it (Giorgi et al. 2021, DeCLUTR,
    https://arxiv.org/abs/2006.03659). Of the words each with that chance: drop: it is left out; swap: it and the next
    change places (Wei & Zou 2019, https://arxiv.org/abs/1901.11196); mask: a word that nobody knows takes its place.
    synonyms, rewritten: other words for the same, a word or the whole text at a time; before all else.
    """

    crop: tuple[Share, Share] = (1.0, 1.0)
    drop: Chance = 0.0
    swap: Chance = 0.0
    mask: Chance = 0.0
    synonyms: Synonyms | None = None
    rewritten: Rewritten | None = None

    @field_validator("crop")
    @classmethod
    def _in_order(cls, crop: tuple[float, float]) -> tuple[float, float]:
        if crop[0] > crop[1]:
            raise ValueError("the least share first, then the most, such as [0.5, 1.0]")
        return crop


def changed(tokens: Tensor, policy: Policy, keys: Positions, seed: int) -> Tensor:
    """Numbers `(B, T)` under the policy but for other words, `(B, T)` again; a word stays of a text that has any.

    keys: `(B,)`; what is done to a text depends on its key, the seed and its own words alone.
    """
    if policy.model_copy(update={"synonyms": None, "rewritten": None}) == Policy():
        return tokens
    numbers = tokens.cpu().numpy()
    lengths, places = (numbers != PAD).sum(1), np.arange(numbers.shape[1])
    draws = uniform(seed, keys, 2 + 3 * numbers.shape[1])
    low, high = policy.crop
    spans = np.clip(np.ceil(lengths * (low + (high - low) * draws[:, 0])), np.minimum(lengths, 1), lengths)
    starts = np.floor(draws[:, 1] * (lengths - spans + 1))
    kept = (places >= starts[:, None]) & (places < (starts + spans)[:, None])
    drop, swap, mask = draws[:, 2::3], draws[:, 3::3], draws[:, 4::3]
    surest = np.where(kept, drop, -1).argmax(1)
    dropped = drop < policy.drop
    dropped[np.arange(len(numbers)), surest] = False
    kept &= ~dropped
    order = np.argsort(~kept, axis=1, kind="stable")
    found = np.where(np.take_along_axis(kept, order, 1), np.take_along_axis(numbers, order, 1), PAD)
    found[(mask < policy.mask) & (found != PAD)] = UNKNOWN
    if policy.swap:
        _swap(found, swap < policy.swap)
    return torch.from_numpy(found).to(tokens.device)


def _swap(
    numbers: "np.ndarray[tuple[int, int], np.dtype[np.int64]]",
    chosen: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]",
) -> None:
    """Each word whose lot was drawn changes places with the next, from left to right, neither of them twice."""
    free = np.ones(len(numbers), np.bool_)
    for place in range(numbers.shape[1] - 1):
        now = chosen[:, place] & free & (numbers[:, place + 1] != PAD)
        numbers[now, place], numbers[now, place + 1] = numbers[now, place + 1], numbers[now, place]
        free = ~now
