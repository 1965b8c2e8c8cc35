"""Texts with every fault planted on purpose: what becomes of each, and what ingest says.

`python -m benchmarks.dirty_texts` prints the table; `--home FOLDER` keeps the planted files. Nothing is read but what
is made here.
"""

import argparse
import contextlib
import csv
import io
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._dirty_texts import TOPICS, Row, faults
from benchmarks.dirty_folder import verdict
from components.core.errors import WinnowError
from components.datasets.manifest import read_manifest
from components.datasets.quarantine import read_losses, read_quarantine
from components.datasets.sample_store import open_samples
from components.modalities import build_modality
from components.stages import ingest

SOUND = 400  # texts without a fault beside those with one
HEADER = ("id", "text", "label", "split")
ENCODINGS = {  # of a text of its own each, by how it is called
    "Latin-1": "latin-1",
    "Windows-1252 quotes": "cp1252",
    "UTF-8 with a mark": "utf-8-sig",
    "UTF-16 with a mark": "utf-16",
    "UTF-16 without a mark": "utf-16-le",
    "UTF-16, high bytes first, without a mark": "utf-16-be",
}
SAID = "\u201cD\u00e9j\u00e0 vu\u201d, said the caf\u00e9's owner"


@dataclass(frozen=True)
class Outcome:
    """What ingest made of a source: by path or id the kept `texts` and the `fates` of the others; what it `said`."""

    texts: dict[str, str]
    fates: dict[str, str]
    groups: dict[str, str]
    said: list[str]

    def of(self, name: str) -> str:
        """A few words on one text."""
        if name in self.fates:
            return self.fates[name]
        return f"kept, {len(self.texts[name]):,} characters" if name in self.texts else "lost without a word"


def sound(count: int) -> Iterator[Row]:
    """Texts of two topics, each of its own words in an order of its own."""
    draw = np.random.default_rng(0)
    for number in range(count):
        label, words = list(TOPICS.items())[number % 2]
        chosen = draw.permutation(words.split())[:14].tolist()
        yield Row(f"sound-{number}", " ".join(chosen), label, "test" if number % 5 == 0 else "train")


def write_table(path: Path, rows: list[Row], *, encoding: str = "utf-8", damaged: bool = False) -> Path:
    """A CSV of the rows; damaged: with a row of two cells and one of five at its end."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows((row.id, row.text, row.label, row.split) for row in rows)
        if damaged:
            file.write("damaged,one cell for all\r\ndamaged,more,cells,than,names\r\n")
    return path


def write_folder(home: Path) -> Path:
    """Class folders of .txt files: sound ones, one in each encoding, and one that is no text."""
    for row in sound(SOUND):
        place = home / row.label / f"{row.id}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(row.text, encoding="utf-8")
    for number, (name, encoding) in enumerate(ENCODINGS.items()):
        said = SAID if encoding != "latin-1" else "D\u00e9j\u00e0 vu, na\u00efvet\u00e9"
        (home / "sea" / f"{name}.txt").write_bytes(f"{said}, number {number}".encode(encoding))
    (home / "sea/picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (home / "sea/empty.txt").write_bytes(b"")
    return home


def read(source: Path, home: Path, **settings: Any) -> Outcome:
    """Ingest the source into `home`."""
    home.mkdir(parents=True, exist_ok=True)
    paths = {name: home / f"{name}.parquet" for name in ("manifest", "quarantine", "oracle")}
    params = ingest.Params.model_validate({"source": str(source), "modality": {"name": "text"}, **settings})
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        ingest.run(params=params, raw=source.parent, samples=home / "samples.npy", **paths)
    manifest, store = read_manifest(paths["manifest"]), open_samples(home / "samples.npy")
    kind = build_modality(store.about.modality)
    kept = {path: kind.to_file(store.record(row)).decode() for row, path in enumerate(manifest["path"])}
    left_out = read_quarantine(paths["quarantine"])
    fates = {row.path: f"{row.kind}: {row.reason}" for row in left_out.itertuples()}
    said = [line.strip().removeprefix("ingest: ") for line in stderr.getvalue().splitlines()]
    groups = dict(zip(manifest["path"], manifest["group"], strict=True))
    return Outcome(kept, fates, groups, list(dict.fromkeys([*read_losses(paths["quarantine"]), *said])))


def of_table(home: Path) -> list[tuple[str, int, str, str]]:
    """What was planted in one table, in how many texts, what became of the first, and what was said of it."""
    rows = [row for rows in faults().values() for row in rows]
    source = write_table(home / "dirty.csv", [*sound(SOUND), *rows], damaged=True)
    found = read(source, home / "table")
    refused = verdict(home / "table")
    dropped = read(source, home / "dropped", leaks="drop")
    lines = []
    for fault, planted in faults().items():
        says = [line for line in [*found.said, *refused] if fault.says and re.search(fault.says, line)]
        fates = [outcome.of(row.id) for outcome in (found, dropped) for row in planted]
        odd = next((fate for fate in fates if not fate.startswith("kept")), fates[0])
        intact = all(found.texts.get(row.id) in (None, row.kept) for row in planted)
        lines.append((fault.name, len(planted), odd + ("" if intact else ", ALTERED"), says[0] if says else ""))
    damaged = [fate for path, fate in found.fates.items() if path.startswith("dirty/")]
    return [*lines, ("damaged rows", 2, damaged[0], "")]


def of_files(home: Path) -> list[tuple[str, int, str, str]]:
    """The same of faults that a file has as a whole, and of files in a folder."""
    lines = []
    for name, encoding in ENCODINGS.items():
        rows = [*sound(20), Row("special", SAID if encoding != "latin-1" else "D\u00e9j\u00e0 vu", "sea", "train")]
        found = read(write_table(home / "encoded.csv", rows, encoding=encoding), home / encoding)
        kept = "kept" if found.texts.get("special") == rows[-1].text else "ALTERED"
        says = next((line for line in found.said if re.search("UTF-16|Latin-1|mark", line)), "")
        lines.append((f"a table in {name}", 1, kept, says))
    found = read(write_folder(home / "folder"), home / "files", test_fraction=0.2)
    for name, encoding in ENCODINGS.items():
        intact = found.texts.get(f"sea/{name}.txt", "").startswith("D" if encoding == "latin-1" else SAID)
        says = next((line for line in found.said if "Latin-1" in line), "") if encoding in ("latin-1", "cp1252") else ""
        lines.append((f"a .txt file in {name}", 1, "kept" if intact else "ALTERED", says))
    lines += [
        (f"a .txt file that is {what}", 1, found.of(f"sea/{name}.txt"), "")
        for what, name in (("a picture", "picture"), ("empty", "empty"))
    ]
    return [*lines, *_of_other_tables(home)]


def _of_other_tables(home: Path) -> Iterator[tuple[str, int, str, str]]:
    rows = list(sound(20))
    plain = write_table(home / "plain.csv", rows).read_text(encoding="utf-8")
    (home / "sep.csv").write_text("sep=;\r\n" + plain.replace(",", ";"), encoding="utf-8")
    found = read(home / "sep.csv", home / "sep")
    yield "sep=; above the names", 1, f"kept, {len(found.texts)} texts", _first(found.said, "parted")
    missing = [Row(f"none-{n}", f"a text without any class, {n}", cell, "train") for n, cell in enumerate(CELLS)]
    source = write_table(home / "cells.csv", [*rows, *missing])
    try:
        read(source, home / "cells")
    except WinnowError as error:
        yield f"{', '.join(CELLS)} as classes", len(CELLS), "refused", str(error)
    found = read(source, home / "cells", columns={"unlabeled": list(CELLS)})
    yield "the same, said in the settings", len(CELLS), found.of("none-0"), _first(found.said, "means? no class")
    lines = [json.dumps({"text": row.text, "label": row.label}) for row in rows]
    bad = ['{"text": "half', '["no object"]', '{"text": "a", "text": "b"}']
    (home / "lines.jsonl").write_text("\n".join([*lines, *bad]) + "\n", encoding="utf-8")
    found = read(home / "lines.jsonl", home / "lines", test_fraction=0.2)
    for number, what in enumerate(("half a line", "a list", "a name twice"), len(rows) + 1):
        yield f"JSON lines: {what}", 1, found.of(f"lines/{number}"), ""


CELLS = ("NULL", "None", "NaN", "n/a")


def _first(lines: list[str], pattern: str) -> str:
    return next((line for line in lines if re.search(pattern, line)), "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dirty_texts", description=__doc__)
    parser.add_argument("--home", type=Path, help="folder that keeps the planted files")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        print("| planted | texts | what becomes of them | what is said |\n|---|---|---|---|")
        for name, count, fate, said in [*of_table(home), *of_files(home)]:
            print(f"| {name} | {count} | {fate} | {said} |".replace("<", "&lt;"))


if __name__ == "__main__":
    main()
