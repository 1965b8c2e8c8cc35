"""The queue of vectors, on numbers that can be followed."""

import torch
from torch import Tensor

from components.methods.queue import Queue, of_others


def _rows(*values: float) -> Tensor:
    return torch.tensor(values)[:, None]


def test_the_newest_stand_first_and_the_oldest_fall_out() -> None:
    queue = Queue(3, 1)
    queue.push(_rows(1, 2), torch.tensor([10, 20]))
    assert queue.keys.tolist() == [10, 20, -1]
    queue.push(_rows(3, 4), torch.tensor([30, 40]))
    assert queue.keys.tolist() == [30, 40, 10]
    assert queue.vectors.flatten().tolist() == [3, 4, 1]


def test_a_batch_larger_than_the_queue_leaves_as_much_as_it_holds() -> None:
    queue = Queue(2, 1)
    queue.push(_rows(1, 2, 3), torch.tensor([1, 2, 3]))
    assert queue.keys.tolist() == [1, 2]


def test_looking_at_it_with_a_batch_in_front_does_not_change_it() -> None:
    queue = Queue(2, 1)
    queue.push(_rows(1), torch.tensor([7]))
    vectors, keys = queue.with_newest(_rows(5), torch.tensor([8]))
    assert vectors.flatten().tolist() == [5, 1, 0]
    assert keys.tolist() == [8, 7, -1]
    assert queue.keys.tolist() == [7, -1]


def test_another_sample_is_one_that_is_there_and_has_another_key() -> None:
    assert of_others(torch.tensor([0, 5]), torch.tensor([5, -1, 0])).tolist() == [
        [True, False, False],
        [False, False, True],
    ]


def test_what_it_holds_is_in_the_state() -> None:
    queue, other = Queue(2, 1), Queue(2, 1)
    queue.push(_rows(1, 2), torch.tensor([3, 4]))
    other.load_state_dict(queue.state_dict())
    assert torch.equal(other.vectors, queue.vectors)
    assert torch.equal(other.keys, queue.keys)
