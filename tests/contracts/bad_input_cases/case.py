"""One thing a person can get wrong; and how the project of the cases is brought into that state."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from components.core import stage

LEDGER = Path("data/labels/ledger.csv")
COLUMNS = "id,label,annotator,source,round,cost,at,note\n"
RULES = Path("data/labels/rules.csv")
RULE_COLUMNS = "kind,pattern,class,name\n"
HOME = Path("data/raw/pictures")


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Case:
    """command: `settings` (the check before any run), a stage's name, or `winnow ...`; says: a part of the answer that
    names the remedy or the place; settings: dotted names and values put into params.yaml (`...` takes the name out);
    do: what else is done in the project; champion: whether a model serves; made_up: whether the kind of data that only
    the tests have is known.
    """

    done: str
    command: str
    says: str
    code: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    do: Callable[[], Any] = _nothing
    champion: bool = False
    made_up: bool = False


def picture(number: int) -> Image.Image:
    """A picture of its own for every number, 48x48."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC)


def save(path: Path, number: int, quality: int = 90) -> None:
    """The picture of that number as a JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number).save(path, "JPEG", quality=quality)


def sample(split: str) -> str:
    """The id of a sample of `train` or `test`."""
    table = pq.read_table("data/ingest/manifest.parquet").to_pandas()
    return str(table.loc[table["split"] == split, "id"].iloc[0])


def write(path: str, content: str | bytes) -> Callable[[], Any]:
    target = Path(path)
    return lambda: target.write_bytes(content.encode() if isinstance(content, str) else content)


def ledger(row: str) -> Callable[[], Any]:
    return lambda: LEDGER.write_text(COLUMNS + row.format(train=sample("train"), test=sample("test")))


def rules(rows: str) -> Callable[[], Any]:
    return lambda: RULES.write_text(RULE_COLUMNS + rows)


def replace(path: str, old: str, new: str) -> Callable[[], Any]:
    return lambda: Path(path).write_text(Path(path).read_text().replace(old, new))


def folder(*names: str) -> Callable[[], Any]:
    """A folder of its own with pictures of these names."""

    def make() -> None:
        Path("data/raw/mine").mkdir()
        for number, name in enumerate(names):
            save(Path("data/raw/mine") / name, number)

    return make


def archive(name: str, link: bool = False) -> Callable[[], Any]:
    def make() -> None:
        content = io.BytesIO()
        picture(0).save(content, "JPEG")
        with zipfile.ZipFile("mine.zip", "w") as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if link else 0o100644) << 16
            archive.writestr(info, b"/etc/passwd" if link else content.getvalue())

    return make


def cut(path: str) -> Callable[[], Any]:
    return lambda: Path(path).write_bytes(Path(path).read_bytes()[:-100])


def drift() -> None:
    path = Path("data/ingest/manifest.parquet")
    table = pq.read_table(path)
    pq.write_table(table.rename_columns([name.replace("width", "breite") for name in table.column_names]), path)


def more(*names: str, quality: int = 90) -> Callable[[], Any]:
    """Put pictures beside those there are (a name `a=b` is a copy of `b`, encoded anew) and read all again."""

    def make() -> int:
        for number, name in enumerate(names, 500):
            path, _, like = name.partition("=")
            (HOME / path).parent.mkdir(parents=True, exist_ok=True)
            if like:
                Image.open(HOME / like).save(HOME / path, "JPEG", quality=quality)
            else:
                save(HOME / path, number)
        return stage.main("ingest")

    return make


SHORT = {"pretrain.workers": 0, "pretrain.epochs": 2}
MINE = {"ingest.source": "data/raw/mine"}
