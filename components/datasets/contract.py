"""What ingest's tables must satisfy before anything learns from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.datasets import expectations as expect
from components.datasets import manifest as manifests
from components.datasets.expectations import Batch
from components.datasets.quarantine import BESIDE, KINDS
from components.datasets.split import leaking

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_NAMED = 3  # files named in a sentence


@dataclass(frozen=True)
class Limits:
    """min_per_class: training samples of each class; min_test, min_test_per_class: test samples, and of each class.

    The others: shares of all samples the source has.
    """

    min_per_class: int
    min_test: int
    min_test_per_class: int
    max_unreadable: float
    max_conflicts: float


def schema_batch(path: Path, schema: pa.Schema) -> Batch:
    """The manifest's columns and types against `schema`."""
    found = {field.name: str(field.type) for field in pq.read_schema(path)}
    wanted = {field.name: str(field.type) for field in schema}
    table = pd.DataFrame(
        [(name, found.get(name, "absent"), wanted.get(name, "absent")) for name in {**wanted, **found}],
        columns=["column", "type", "expected"],
    )
    rule = expect.pairs_equal("type", "expected", "The manifest has exactly the columns and types of its schema")
    return Batch("schema", table, [rule], ("column",))


def drifted(schema: Batch) -> bool:
    """Whether the schema is another than it should be, so that nothing else can be checked."""
    return bool((schema.table["type"] != schema.table["expected"]).any())


def manifest_batches(
    manifest: pd.DataFrame, ways: Mapping[str, tuple[str, str]], limits: Limits, facts: "list[Expectation]"
) -> list[Batch]:
    """Each sample on its own, `facts` by its kind of data, and that no near-duplicate group is in both splits.

    ways: of the training samples that are in the test split too, by path, see `read_ways`.
    """
    rules = [
        expect.unique("id", "Every id occurs once"),
        expect.matches("id", "^[0-9a-f]{16}$", "Every id is 16 hexadecimal digits"),
        expect.matches("sha256", "^[0-9a-f]{64}$", "Every sha256 is 64 hexadecimal digits"),
        expect.unique("path", "Every path occurs once"),
        expect.one_of("split", manifests.SPLITS, "Every split is train or test"),
        expect.contains("split", manifests.SPLITS, "Both splits have samples"),
        *facts,
        expect.between("bytes", 1, None, "No sample is empty"),
    ]
    leaks = leaking(manifest)
    if ways:
        found = [ways.get(path, (twin, "")) for path, twin in zip(leaks["path"], leaks["twin"], strict=True)]
        leaks = leaks.assign(twin=[twin for twin, _ in found], how=[how for _, how in found])
    groups = pd.DataFrame({"group": manifest["group"].unique()}).merge(leaks, on="group", how="left")
    named = ("group", *leaks.columns.intersection(["path", "how"]))
    apart = "No group of near-duplicates is in both splits; ingest.leaks: drop would leave out its training samples"
    sizes = pd.DataFrame({"split": ["test"], "samples": [int((manifest["split"] == "test").sum())]})
    need = f"The test split has at least {limits.min_test} samples (validate.min_test; ingest.test_fraction gives more)"
    return [
        Batch("manifest", manifest, rules, ("id", "path")),
        Batch("sizes", sizes, [expect.between("samples", limits.min_test, None, need)], ("split", "samples")),
        Batch("groups", groups, [expect.absent("twin", apart)], named),
        *([_origins(manifest)] if manifests.TOGETHER in manifest else []),
    ]


def _origins(manifest: pd.DataFrame) -> Batch:
    leaks = leaking(manifest.assign(group=manifest[manifests.TOGETHER])).drop_duplicates("group")
    names = pd.DataFrame({"group": manifest[manifests.TOGETHER].unique()}).merge(leaks, on="group", how="left")
    apart = "No origin (ingest.group) is in both splits; ingest.leaks: drop would leave out its training samples"
    return Batch("origins", names, [expect.absent("twin", apart)], ("group", "path"))


def class_batches(manifest: pd.DataFrame, truth: pd.DataFrame, classes: list[str], limits: Limits) -> list[Batch]:
    """Known classes and enough of each; nothing to check where the source knows no classes.

    Where it knows them of test pictures alone, people label the training pictures, which `label` sees to.
    """
    if not classes:
        return []
    split = truth["id"].map(manifest.drop_duplicates("id").set_index("id")["split"])
    found = {name: truth.loc[split == name, "class"].value_counts() for name in manifests.SPLITS}
    columns = {f"{name}_samples": [int(rows.get(one, 0)) for one in classes] for name, rows in found.items()}
    need = f"Every class has at least {limits.min_per_class} training samples (validate.min_per_class)"
    tests = f"Every class has at least {limits.min_test_per_class} test samples (validate.min_test_per_class)"
    rules = [expect.between("test_samples", limits.min_test_per_class, None, tests)]
    if len(found["train"]):
        rules.insert(0, expect.between("train_samples", limits.min_per_class, None, need))
    enough = Batch("classes", pd.DataFrame({"class": classes, **columns}), rules, ("class",))
    rules = [
        expect.unique("id", "Every sample has one true class"),
        expect.present("split", "Every true class belongs to a sample of the manifest"),
        expect.one_of("class", tuple(classes), "Every true class is a known one"),
    ]
    return [enough, Batch("truth", truth.assign(split=split), rules, ("id",))]


def quarantine_batches(quarantine: pd.DataFrame, samples: int, leaks: str, limits: Limits) -> list[Batch]:
    """How much was left out, by kind, against what may be; and each row's kind, where there are rows.

    A share is of the samples there are: what lies beside them counts nowhere.
    """
    allowed = [
        (("unreadable", "unsafe"), limits.max_unreadable, "validate.max_unreadable"),
        (("conflict",), limits.max_conflicts, "validate.max_conflicts"),
        (("leak",), 1.0 if leaks == "drop" else 0.0, "ingest.leaks"),
    ]
    files = samples + int((~quarantine["kind"].isin(BESIDE)).sum())
    rows = []
    for kinds, most, setting in allowed:
        paths = quarantine.loc[quarantine["kind"].isin(kinds), "path"]
        share = len(paths) / max(1, files)
        rows.append((" or ".join(kinds), len(paths), share, most, setting, ", ".join(paths[:_NAMED])))
    table = pd.DataFrame(rows, columns=["kind", "files", "share", "most", "setting", "such_as"])
    rule = expect.at_least("most", "share", "No more files were left out than the settings allow")
    limit = Batch("left_out", table, [rule], ("kind", "files", "setting", "such_as"))
    if quarantine.empty:
        return [limit]
    known = expect.one_of("kind", KINDS, "Everything left out has a known kind")
    return [limit, Batch("quarantine", quarantine, [known], ("path",))]
