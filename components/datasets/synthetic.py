"""Pictures that were made, not found: files beside the ledger, known there by their ids, and the labels they got."""

import hashlib
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError
from components.core.files import replacing
from components.datasets.labels import Floats, lists, matrix

PREFIX = "synthetic-"  # what every id of a made picture begins with, so that each row about it says what it is
_IDENTITY = re.compile(PREFIX + "[0-9a-f]{16}")


def is_synthetic(identity: str) -> bool:
    """Whether the id is one of a made picture."""
    return identity.startswith(PREFIX)


def identity_of(content: bytes) -> str:
    """The id of a picture by its file's content."""
    return PREFIX + hashlib.sha256(content).hexdigest()[:16]


def file_of(folder: Path, identity: str) -> Path:
    """Where the picture lies in the folder of made pictures."""
    return folder / f"{identity}.png"


def is_there(folder: Path, identity: str) -> bool:
    """Whether the made picture is there, as it was made. What no picture made here is called is not looked for."""
    path = file_of(folder, identity)
    return bool(_IDENTITY.fullmatch(identity)) and path.is_file() and identity_of(path.read_bytes()) == identity


def read_content(folder: Path, identity: str) -> bytes:
    """The file's content. Raises WinnowError where it is missing or is no longer what the id says."""
    path = file_of(folder, identity)
    mend = "restore it from git, or withdraw its label by a new row of the ledger with an empty label."
    if not path.is_file():
        raise WinnowError(f"{path} is missing, but the ledger labels it: {mend}")
    content = path.read_bytes()
    if identity_of(content) != identity:
        raise WinnowError(f"{path} has changed since it was made: {mend}")
    return content


def write_synthetic(path: Path, ids: list[str], distributions: Floats, contents: list[bytes]) -> None:
    """Write the labels in force of made pictures, `(S, K)` distributions, and the pictures' files as they are."""
    columns = {"id": pa.array(ids, pa.string()), "distribution": lists(distributions)}
    table = pa.table({**columns, "picture": pa.array(contents, pa.binary())})
    with replacing(path) as aside:
        pq.write_table(table, aside)


def read_synthetic(path: Path) -> tuple[list[str], Floats, list[bytes]]:
    """Ids, `(S, K)` distributions and files' contents, as `write_synthetic` was given them."""
    table = pq.read_table(path)
    return table["id"].to_pylist(), matrix(table["distribution"]), table["picture"].to_pylist()
