"""A data set in Croissant 1.1: what its tables hold (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).

The tables are the manifest and the labels that are known; the samples themselves are where their owner keeps them; each
row's `path` and `sha256` name one. Nothing is made up: what the format demands and nobody here knows, one must say.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from components.core.errors import WinnowError
from components.core.files import sha256

FILE, VERSION = "croissant.json", "http://mlcommons.org/croissant/1.1"
PARQUET = "application/vnd.apache.parquet"
_URL = re.compile(r"https?://[^\s/]+\S*")
_OWN = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field fileProperty fileObject"
)
_OWN += (
    " fileSet format includes isArray isLiveDataset jsonPath key md5 parentField recordSet references regex readLines"
)
_OWN += " sdVersion separator source subField transform unArchive value"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "http://schema.org/",
    "sc": "http://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _OWN.split()},
}


@dataclass(frozen=True)
class Owned:
    """What only the data's owner can say. license, url: addresses; creator: an organization's name; published: a
    date, `2026-11-30`."""

    license: str
    creator: str
    url: str
    published: str

    def check(self) -> None:
        """Raise WinnowError for what is missing, or no address."""
        for option, text in (("--data-license", self.license), ("--data-url", self.url)):
            if not _URL.fullmatch(text):
                why = f"is '{text}'" if text else "is missing"
                raise WinnowError(
                    f"{option} {why}: Croissant demands an address, such as https://creativecommons.org/licenses/by/4.0/."
                )
        if not self.creator.strip():
            raise WinnowError("--data-creator is missing: Croissant demands the name of who made the data set.")


def croissant(name: str, about: str, owned: Owned, tables: Mapping[str, tuple[Path, str]]) -> dict[str, Any]:
    """The description as JSON-LD. about: of the data set, in words; tables: by name the Parquet file, which must lie
    beside the description, and what a row of it is; each has the column `id`, by which rows of all belong together."""
    first = next(iter(tables))
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": name,
        "description": about,
        "license": owned.license,
        "url": owned.url,
        "creator": {"@type": "sc:Organization", "name": owned.creator.strip()},
        "datePublished": owned.published,
        "version": f"1.0.0+{sha256(tables[first][0])[:12]}",
        "distribution": [_file(path) for path, _ in tables.values()],
        "recordSet": [_records(table, path, row, first) for table, (path, row) in tables.items()],
    }


def _file(path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": PARQUET,
        "sha256": sha256(path),
    }


def _records(table: str, path: Path, row: str, first: str) -> dict[str, Any]:
    fields = [_field(table, path, column) for column in pq.read_schema(path)]
    if table != first:
        fields[[field["name"] for field in fields].index("id")]["references"] = {"field": {"@id": f"{first}/id"}}
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": row,
        "key": {"@id": f"{table}/id"},
        "field": fields,
    }


def _field(table: str, path: Path, column: pa.Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "dataType": _type(column.type),
        "source": {"fileObject": {"@id": path.name}, "extract": {"column": column.name}},
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
