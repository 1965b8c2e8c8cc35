"""Texts as tests make them, and as a store holds them."""

import numpy as np
import numpy.typing as npt

from components.modalities.text import Text
from components.modalities.text.policy import Policy
from components.modalities.views import Views

WORDS = {  # by what the texts are about; any text has words of all as well
    "sea": ["wave", "boat", "salt", "fish", "tide", "sail", "reef", "anchor"],
    "city": ["street", "tram", "office", "bridge", "crowd", "tower", "market", "bell"],
    "wood": ["oak", "moss", "deer", "root", "fern", "owl", "bark", "path"],
}
ALL = ["the", "a", "of", "and", "in", "is", "was", "it"]
LENGTH = 12  # words of a text


def about(count: int, seed: int = 0) -> tuple[list[str], npt.NDArray[np.int64]]:
    """`count` texts, and what each is about, 0 to 2."""
    draw, topics = np.random.default_rng(seed), np.arange(count) % len(WORDS)
    own = list(WORDS.values())
    texts = [
        " ".join(str(draw.choice(own[topic] if draw.random() < 0.8 else ALL)) for _ in range(LENGTH))
        for topic in topics
    ]
    return texts, topics


def records_of(texts: list[str]) -> npt.NDArray[np.uint8]:
    """`(N, L)` as a store gives them."""
    kind = Text(Text.Config())
    return np.asarray(kind.from_client(np.array(texts)))


def views_of(texts: list[str], length: int = 16, **policies: Policy) -> Views:
    """What is looked at, with the vocabulary of these texts."""
    kind, records = Text(Text.Config(length=length, seen=1)), records_of(texts)
    return Views(kind, kind.measure(records, np.arange(len(records))), policies)
