"""SimCLR with ResNet-18 on a GPU: pictures per second, and the share of time that is not the network's.

`python -m benchmarks.gpu_throughput PICTURES` reads a zip or a folder of pictures (such as the Imagenette subset) at
96x96. Beside our loop: the same network on views that are there already, and the loop one writes with lightly, its
transform in loader processes, also in bfloat16 and channels-last.
"""

import argparse
import io
import json
import os
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps

from benchmarks._pictures import given, views_of
from benchmarks.simclr_throughput import SIMCLR_VIEW, lightly_loader
from components.core import plugins
from components.core.config import PluginChoice
from components.methods.contracts import Batch
from components.methods.self_supervised.simclr import SimCLR
from components.training.corpus import Corpus
from components.training.loop import LoopConfig, train
from components.training.optimizers import build_optimizer
from components.training.precision import autocast, choose_device

SIZE, STEPS, ROUNDS = 96, 60, 3
SUFFIXES = (".jpeg", ".jpg", ".png")
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def main() -> None:
    """Print one line of figures per loop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_throughput", description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--lightly", action="store_true", help="also lightly's loop, which takes long")
    parser.add_argument("--batch", type=int, default=256)
    asked = parser.parse_args()
    pictures = np.stack(list(_read(asked.pictures)))
    loops: dict[str, Callable[[], float]] = {
        "network alone": lambda: network_alone(pictures, asked.batch),
        "winnow": lambda: winnow(pictures, asked.batch),
    }
    speeds = {name: statistics.median(loop() for _ in range(ROUNDS)) for name, loop in loops.items()}
    if asked.lightly:
        speeds["lightly"] = lightly(pictures, asked.batch)
    device = choose_device()
    print(
        torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        f"{len(pictures)} pictures, batch {asked.batch}",
    )
    for name, speed in speeds.items():
        row = {"loop": name, "samples_per_second": round(speed), "times_lightly": None, "outside_network": None}
        row["outside_network"] = round(1 - speed / speeds["network alone"], 3)
        if asked.lightly:
            row["times_lightly"] = round(speed / speeds["lightly"], 1)
        print(json.dumps(row))


def network_alone(pictures: npt.NDArray[np.uint8], count: int) -> float:
    """Pictures per second of forward, backward and optimizer step on one batch of views."""
    device, method = choose_device(), _method().to(device=choose_device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    method.train()
    optimizer, _ = build_optimizer(method, "adamw", learning_rate=0.001, weight_decay=0.0001)
    views = torch.from_numpy(pictures[:count]).to(device).float().div(255).contiguous(memory_format=torch.channels_last)
    batch = Batch([views, views.flip(3).contiguous(memory_format=torch.channels_last)])
    for step in range(STEPS + 10):
        if step == 10:
            began = _now()
        with autocast("auto", device):
            loss = method.training_step(batch).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return STEPS * count / (_now() - began)


def winnow(pictures: npt.NDArray[np.uint8], count: int) -> float:
    """Pictures per second of our loop, its first pass left out."""
    policies = views_of({"view": SIMCLR_VIEW}, mean=MEAN, std=STD)
    data = Corpus(pictures, np.resize(np.arange(len(pictures)), STEPS * count), policies)
    ends: list[float] = []
    config = LoopConfig(epochs=2, batch_size=count)
    train(_method(), data, config, seed=0, device=choose_device(), on_epoch=lambda *_: ends.append(_now()))
    return STEPS * count / (ends[-1] - ends[-2])


def lightly(pictures: npt.NDArray[np.uint8], count: int) -> float:
    """Pictures per second of lightly's loop, the start of its loader's processes left out."""
    from lightly.loss import NTXentLoss

    device, method = choose_device(), _method().to(device=choose_device(), memory_format=torch.channels_last)  # type: ignore[call-overload]
    method.train()
    criterion, optimizer = NTXentLoss(0.5), torch.optim.AdamW(method.parameters(), lr=1e-3)
    loader = lightly_loader(np.resize(pictures, (8 * count, *pictures.shape[1:])), count, workers=os.cpu_count() or 1)
    for _ in range(2):
        began, seen = _now(), 0
        for views in loader:
            first, second = (v.to(device, non_blocking=True, memory_format=torch.channels_last) for v in views)
            with autocast("auto", device):
                loss = criterion(method.head(method.encoder(first)), method.head(method.encoder(second)))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            seen += len(first)
        speed = seen / (_now() - began)
    return speed


def _method() -> SimCLR:
    torch.manual_seed(0)
    encoder = plugins.build("encoder", PluginChoice(name="resnet18"), given(3, SIZE), where="encoder")
    return SimCLR(encoder, SimCLR.Config())


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _read(source: Path) -> Iterator[npt.NDArray[np.uint8]]:
    """`(3, SIZE, SIZE)` of each picture in a zip or under a folder."""
    if source.is_dir():
        contents: Iterator[bytes] = (p.read_bytes() for p in sorted(source.rglob("*")) if _is_picture(p.name))
    else:
        archive = zipfile.ZipFile(source)
        contents = (archive.read(name) for name in sorted(archive.namelist()) if _is_picture(name))
    for content in contents:
        picture = ImageOps.fit(Image.open(io.BytesIO(content)).convert("RGB"), (SIZE, SIZE))
        yield np.asarray(picture).transpose(2, 0, 1)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


if __name__ == "__main__":
    main()
