"""Samples of like length together: a permutation still, of whole batches, by seed and epoch."""

import numpy as np

from components.core.config import PluginChoice
from components.datasets.sample_store import ANY, About, Store
from components.modalities.text import Text
from components.modalities.text.policy import Policy
from components.modalities.views import Views
from components.training.corpus import Corpus
from components.training.pools import in_pools, lengths_of

BATCH = 8
LENGTHS = np.random.default_rng(0).geometric(0.02, 1000)
ORDER = np.random.default_rng(1).permutation(len(LENGTHS))


def test_every_sample_is_met_once_and_what_no_whole_batch_holds_stays_last() -> None:
    order = ORDER[:997]
    pooled = in_pools(order, LENGTHS, BATCH, 0, 1)
    assert sorted(pooled) == sorted(order)
    assert pooled[-5:].tolist() == order[-5:].tolist()


def test_batches_are_of_like_length_and_hardly_any_of_it_is_padding() -> None:
    def padding(order: np.ndarray) -> float:
        batches = LENGTHS[order].reshape(-1, BATCH)
        return float(1 - batches.sum() / (BATCH * batches.max(1).sum()))

    assert padding(ORDER) > 0.5
    assert padding(in_pools(ORDER, LENGTHS, BATCH, 0, 1)) < 0.1


def test_the_order_hangs_on_seed_and_epoch_and_short_texts_do_not_come_first() -> None:
    first = in_pools(ORDER, LENGTHS, BATCH, 0, 1)
    assert first.tolist() == in_pools(ORDER, LENGTHS, BATCH, 0, 1).tolist()
    assert first.tolist() != in_pools(ORDER, LENGTHS, BATCH, 0, 2).tolist()
    assert first.tolist() != in_pools(ORDER, LENGTHS, BATCH, 1, 1).tolist()
    halves = LENGTHS[first].reshape(2, -1).mean(1)
    assert abs(halves[0] - halves[1]) < 10


def test_samples_that_no_whole_batch_holds_are_left_as_they_are() -> None:
    assert in_pools(ORDER[:5], LENGTHS, BATCH, 0, 1).tolist() == ORDER[:5].tolist()


def test_lengths_are_those_of_the_rows_where_records_differ_in_length() -> None:
    kind = Text(Text.Config())
    views = Views(kind, {}, {"weak": Policy()})
    about = About(modality=PluginChoice(name="text"), dtype="uint8", shape=(ANY,))
    samples = Store(about, np.zeros(10, np.uint8), np.array([0, 1, 5, 10]))
    lengths = lengths_of(Corpus(samples, np.array([2, 0, 2]), views))
    assert lengths is not None
    assert lengths.tolist() == [5, 1, 5]
    assert lengths_of(Corpus(np.zeros((3, 4), np.uint8), np.arange(3), views)) is None
