"""SimCLR end to end, pairs per second with the same network: our loop beside the loop one writes with lightly."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks._pictures import given, views_of
from components.modalities.image.policy import Policy

THREADS, BATCH, ROUNDS = 2, 256, 3
SIZES = {32: (1, 6), 96: (3, 2)}  # pixels a side: channels, steps an epoch
TEMPERATURE = 0.2
SIMCLR_VIEW = Policy(
    crop=(0.08, 1.0), flip=0.5, brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, grayscale=0.2, blur=0.5
)


def run() -> list[dict[str, object]]:
    """One row per picture size and loop: `pairs_per_second`, median of interleaved rounds, start-up left out."""
    torch.set_num_threads(THREADS)
    rows: list[dict[str, object]] = []
    for size, (channels, steps) in SIZES.items():
        pictures = np.random.default_rng(0).integers(0, 256, (BATCH * steps, channels, size, size), dtype=np.uint8)
        loops = {"lightly": _lightly(pictures), "winnow": _winnow(pictures)}
        speeds: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(ROUNDS):
            for name, loop in loops.items():
                speeds[name].append(loop())
        medians = {name: statistics.median(values) for name, values in speeds.items()}
        rows += [
            {
                "size": size,
                "loop": name,
                "pairs_per_second": round(speed),
                "times_faster": round(speed / medians["lightly"], 2),
            }
            for name, speed in medians.items()
        ]
    return rows


def _network(channels: int, size: int):  # type: ignore[no-untyped-def]
    from components.methods.self_supervised.simclr import SimCLR
    from components.models.encoders.small_resnet import SmallResnet

    torch.manual_seed(0)
    return SimCLR(SmallResnet(given(channels, size), SmallResnet.Config()), SimCLR.Config(temperature=TEMPERATURE))


def _winnow(pictures: np.ndarray) -> Callable[[], float]:
    from components.training.corpus import Corpus
    from components.training.loop import LoopConfig, train

    channels, size = pictures.shape[1:3]
    policies = views_of({"view": SIMCLR_VIEW}, mean=[0.5] * channels, std=[0.25] * channels)
    data = Corpus(pictures, np.arange(len(pictures)), policies)

    def measure() -> float:
        ends: list[float] = []
        config = LoopConfig(epochs=2, batch_size=BATCH)
        train(
            _network(channels, size), data, config, seed=0, on_epoch=lambda epoch, row: ends.append(time.perf_counter())
        )
        return len(pictures) / (ends[1] - ends[0])

    return measure


def _lightly(pictures: np.ndarray) -> Callable[[], float]:
    """lightly's documented example: its transform in two loader processes, its loss, its order of things."""
    from lightly.loss import NTXentLoss

    channels, size = pictures.shape[1:3]

    def measure() -> float:
        network = _network(channels, size)
        criterion = NTXentLoss(TEMPERATURE)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
        loader = lightly_loader(pictures, BATCH, workers=2)
        for _ in range(2):  # the first starts the loader's processes
            start = time.perf_counter()
            for first, second in loader:
                loss = criterion(network.head(network.encoder(first)), network.head(network.encoder(second)))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            speed = len(pictures) / (time.perf_counter() - start)
        return speed

    return measure


def lightly_loader(
    pictures: np.ndarray, batch: int, *, workers: int, transform: Callable[[object], list[torch.Tensor]] | None = None
) -> "DataLoader[list[torch.Tensor]]":
    """Views by a transform of lightly's, by default SimCLR's two; pictures: `(N, 1 or 3, S, S)` uint8."""
    from lightly.transforms import SimCLRTransform
    from PIL import Image

    channels, size = pictures.shape[1:3]
    make_views = transform or SimCLRTransform(input_size=size, gaussian_blur=0.5)

    class Views(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(pictures)

        def __getitem__(self, index: int) -> list[torch.Tensor]:
            pixels = pictures[index].transpose(1, 2, 0).repeat(3 if channels == 1 else 1, 2)
            return [view[:channels] for view in make_views(Image.fromarray(pixels))]

    return DataLoader(
        Views(), batch_size=batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=True
    )


if __name__ == "__main__":
    import pandas as pd

    print(pd.DataFrame(run()).to_string(index=False))
