"""Views per core-second: our batched SimCLR views against lightly's transform and torchvision's, in one run."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from components.modalities.image.augment import Augment
from components.modalities.image.policy import Policy

REPEATS = 7
PICTURES = {32: 1024, 96: 256}  # ours, per repeat and size; one of `SLOWER` as many for the others
SLOWER = 8
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Work = Callable[[int], int]  # does one repeat, given its number; returns how many views it made


def run() -> list[dict[str, Any]]:
    """One row per size and contestant: CPU seconds of one thread, contestants in turn, median of the repeats."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [row for size in PICTURES for row in _compare(size)]
    finally:
        torch.set_num_threads(threads)


def _compare(size: int) -> list[dict[str, Any]]:
    pictures = _pictures(PICTURES[size], size)
    blur = 0.0 if size == 32 else 0.5  # none on pictures of 32 pixels, as is usual
    few = pictures[: len(pictures) // SLOWER]
    contestants = {
        "winnow": _winnow(pictures, blur),
        "lightly": _lightly(few, blur),
        "torchvision v2, one draw per 8 pictures": _torchvision(few, blur),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(REPEATS + 1):
        for name, work in contestants.items():
            start = time.process_time()
            views = work(repeat)
            speeds[name].append(views / (time.process_time() - start))
    medians = {name: statistics.median(values[1:]) for name, values in speeds.items()}  # the first one warms up
    return [
        {
            "size": size,
            "contestant": name,
            "views_per_core_second": round(speed),
            "times_lightly": round(speed / medians["lightly"], 1),
        }
        for name, speed in medians.items()
    ]


def _pictures(number: int, size: int) -> torch.Tensor:
    """Smooth random color pictures, `(number, 3, size, size)` uint8."""
    coarse = torch.rand(number, 3, size // 8, size // 8, generator=torch.Generator().manual_seed(0))
    return (torch.nn.functional.interpolate(coarse, size, mode="bilinear") * 255).to(torch.uint8)


def _winnow(pictures: torch.Tensor, blur: float) -> Work:
    policy = Policy(
        crop=(0.2, 1.0), flip=0.5, brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, grayscale=0.2, blur=blur
    )
    augment, keys = Augment(policy, MEAN, STD), np.arange(len(pictures))
    return lambda repeat: len(augment(pictures, keys, repeat))


def _lightly(pictures: torch.Tensor, blur: float) -> Work:
    from lightly.transforms import SimCLRTransform
    from PIL import Image

    transform = SimCLRTransform(input_size=pictures.shape[-1], min_scale=0.2, gaussian_blur=blur)
    images = [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pictures]

    def work(repeat: int) -> int:
        torch.manual_seed(repeat)
        np.random.seed(repeat)
        return sum(len(transform(image)) for image in images)

    return work


def _torchvision(pictures: torch.Tensor, blur: float) -> Work:
    from torchvision.transforms import v2

    size = pictures.shape[-1]
    steps = [
        v2.RandomResizedCrop(size, (0.2, 1.0), antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(size // 10 // 2 * 2 + 1, (0.1, 2.0))], p=blur),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(MEAN, STD),
    ]
    transform = v2.Compose(steps)
    parts = pictures.split(8)  # small batches: each draws once, so that the draws average out

    def work(repeat: int) -> int:
        torch.manual_seed(repeat)
        return sum(len(transform(part)) for part in parts)

    return work


def main() -> None:
    """Print the table."""
    print(f"{'size':>4}  {'contestant':<40}{'views per core-second':>22}{'times lightly':>15}")
    for row in run():
        print(
            f"{row['size']:>4}  {row['contestant']:<40}{row['views_per_core_second']:>22,}{row['times_lightly']:>15.1f}"
        )


if __name__ == "__main__":
    main()
