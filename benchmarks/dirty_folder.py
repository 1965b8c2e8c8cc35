"""A folder with every planted fault: where each file lands, and ingest's peak memory beside a clean folder's."""

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd

from components.core.errors import Refused
from components.datasets.manifest import read_manifest
from components.datasets.quarantine import read_quarantine
from components.stages import ingest, validate

DATA = Path(os.environ.get("WINNOW_BENCHMARK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ARCHIVE, LISTING = "dirty/dirty_images.zip", "dirty/dirty_images_manifest.csv"


def unzip(archive: Path, home: Path) -> Path:
    """The folder as `unzip` makes it: links are links."""
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            packed.extract(member, home)
            if stat.S_ISLNK(member.external_attr >> 16):
                (home / member.filename).unlink()
                (home / member.filename).symlink_to(packed.read(member).decode())
    return home / "dirty_images"


def planted(listing: Path) -> pd.DataFrame:
    """`path`, `issue`, `detail`, `related_path` of every file there is."""
    rows = csv.DictReader(io.StringIO(listing.read_text(encoding="utf-8")))
    return pd.DataFrame([row for row in rows if row["entry_type"] != "dir"])


def read(folder: Path, home: Path, *, leaks: str = "refuse") -> None:
    """Ingest the folder into `home`."""
    home.mkdir(parents=True, exist_ok=True)
    names = {"manifest": "manifest.parquet", "samples": "samples.npy"}
    outputs = {name: home / names.get(name, f"{name}.parquet") for name in (*names, "quarantine", "oracle")}
    params = ingest.Params.model_validate(
        {"source": str(folder), "modality": {"name": "image", "channels": 3}, "leaks": leaks}
    )
    ingest.run(params=params, raw=folder.parent, **outputs)


def fates(home: Path) -> dict[str, tuple[str, str]]:
    """By path: `kept` and how it was found, or the quarantine's kind and reason."""
    manifest, left_out = read_manifest(home / "manifest.parquet"), read_quarantine(home / "quarantine.parquet")
    kept = {row.path: ("kept", f"{row.width}x{row.height}, mode {row.mode}") for row in manifest.itertuples()}
    return kept | {row.path: (row.kind, row.reason) for row in left_out.itertuples()}


def table(listing: pd.DataFrame, found: dict[str, tuple[str, str]]) -> str:
    """Markdown: a row per planted fault, with what became of its files and one reason."""
    lines = ["| planted | files | where they land | for example |", "|---|---|---|---|"]
    for issue, rows in listing.groupby("issue", sort=True):
        kinds = Counter(found[path][0] for path in rows["path"])
        lands = ", ".join(f"{count} {kind}" if len(kinds) > 1 else kind for kind, count in sorted(kinds.items()))
        path = rows["path"].iloc[0]
        lines.append(f"| {str(issue).replace('_', ' ')} | {len(rows)} | {lands} | `{path}`: {found[path][1]} |")
    return "\n".join(lines)


def verdict(home: Path) -> list[str]:
    """What validate refuses the tables for: a sentence each, with the rows."""
    paths = {name: home / f"{name}.parquet" for name in ("manifest", "quarantine", "oracle")}
    paths["samples"] = home / "samples.npy"
    try:
        validate.run(params=validate.Params(), verdict=home / "verdict.json", **paths)
    except Refused:
        failed = json.loads((home / "verdict.json").read_text(encoding="utf-8"))["failed"]
        return [f"{one['sentence']}: {'; '.join(_plain(row) for row in one['rows'])}" for one in failed]
    return []


def _plain(row: dict[str, object]) -> str:
    return ", ".join(str(row[name]) for name in sorted(row) if name != "group")


def peak_megabytes(folder: Path, home: Path) -> float:
    """Of a process that ingests the folder and does nothing else."""
    command = [sys.executable, "-m", "benchmarks.dirty_folder", str(folder), str(home)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def clean_copy(folder: Path, home: Path, listing: pd.DataFrame) -> Path:
    """As many files, all sound: the untouched ones, again and again with a byte of their own at the end."""
    sound = listing.loc[listing["issue"].isin(["clean", "counterpart"]), "path"].tolist()
    for number in range(len(listing)):
        turn, place = divmod(number, len(sound))
        target = (home / sound[place]).with_stem(f"{turn}-{place}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((folder / sound[place]).read_bytes() + bytes([turn]))
    return home


def main() -> None:
    """Print the table and both peaks."""
    if not (DATA / ARCHIVE).is_file():
        print(f"skipped: {DATA / ARCHIVE} is not there; name its folder in WINNOW_BENCHMARK_DATA")
        return
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        folder, listing = unzip(DATA / ARCHIVE, home), planted(DATA / LISTING)
        read(folder, home / "out")
        print(table(listing, fates(home / "out")))
        print("\nAnd `validate` stops the pipeline, because:\n")
        print("\n".join(f"- {sentence}" for sentence in verdict(home / "out")))
        dirty = peak_megabytes(folder, home / "again")
        clean = peak_megabytes(clean_copy(folder, home / "clean", listing), home / "beside")
        print(
            f"\nPeak memory of ingest: {dirty:.0f} MB on these {len(listing)} files, {clean:.0f} MB on as many sound."
        )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        read(Path(sys.argv[1]), Path(sys.argv[2]))
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert peak is not None
        print(int(peak[1]) / 1024)
    else:
        main()
