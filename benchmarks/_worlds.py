"""Small data sets with an encoder's vectors, made once: what many draws of labels are replayed on, a second each.

`digits`; `fashion`: 6,000 training and 4,000 test pictures of Fashion-MNIST, an encoder of ours; `imagenette`: 3,700
photos of 64 pixels, an encoder of ours, which knows little of them; `photos`: the same at 128 pixels, and `scenes`, by
weights as given (`winnow weights add efficientnet_lite0`); `texts`: AG News by word2vec.
"""

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import given_weights, text_few_labels
from benchmarks._pipeline import settings
from benchmarks.few_labels import DIGITS, FASHION
from pipelines.inline import UNLABELED, Params, run_stages
from pipelines.photos import POLICIES

TRAIN, TEST = 6000, 4000  # of Fashion-MNIST
ARCHIVES = {"imagenette": "imagenette224_subset", "photos": "imagenette224_subset", "scenes": "scenes6_1680"}
WORLDS = ("digits", "fashion", "imagenette", "photos", "scenes", "texts")


def world(name: str, root: Path, home: Path) -> Path:
    """The folder of a data set's stages up to `embed`, made where it is not there.

    root: the folder of the data sets (`vision/`, `text/`); home: keeps what is made.
    """
    place = home / name
    if not (place / "data/embed").is_dir():
        run_stages(UNLABELED, place, world_settings(name, root, home))
    return place


def world_settings(name: str, root: Path, home: Path) -> Params:
    """The settings of its stages up to `embed`; what is read from archives is unpacked under `home`."""
    if name == "digits":
        return settings(**{**DIGITS, "pretrain": {"workers": 0, "epochs": 20}})
    if name == "texts":
        table = home / "raw/ag_news.parquet"
        if not table.is_file():
            table.parent.mkdir(parents=True, exist_ok=True)
            text_few_labels.join(root / "text", table)
        changes = {**text_few_labels.CHANGES, "ingest": {**text_few_labels.INGEST, "source": str(table)}}
        return settings(**changes)
    if name == "fashion":
        return settings(**{**FASHION, "ingest": _pictures(_fashion(root, home), 28, 1)})
    folder = home / "raw" / ARCHIVES[name]
    if not folder.is_dir():
        with zipfile.ZipFile(root / "vision" / f"{ARCHIVES[name]}.zip") as file:
            file.extractall(home / "raw")
    if name == "imagenette":
        own: dict[str, Any] = {**DIGITS, "pretrain": {"workers": 0, "epochs": 10, "batch_size": 128}}
        return settings(**{**own, "ingest": _pictures(folder, 64, 3), "augment": {"policies": POLICIES}})
    size = 128 if name == "photos" else 100
    params = given_weights.settings_for(str(folder), size=size, labels=40, classes=10)
    return params | {"threads": 1}


def _pictures(folder: Path, size: int, channels: int) -> dict[str, Any]:
    modality = {"name": "image", "image_size": size, "channels": channels}
    return {"source": str(folder.absolute()), "modality": modality, "leaks": "drop"}


def _fashion(root: Path, home: Path) -> Path:
    """A folder of its first pictures, class by class."""
    folder, raw = home / "raw/fashion", root / "vision/fashion_mnist/FashionMNIST/raw"
    if folder.is_dir():
        return folder
    for split, stem, count in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        pictures = _idx(raw / f"{stem}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        for number, kind in enumerate(_idx(raw / f"{stem}-labels-idx1-ubyte.gz", 8)[:count]):
            place = folder / split / f"class_{kind}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[number]).save(place / f"{number}.png")
    return folder


def _idx(path: Path, header: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
