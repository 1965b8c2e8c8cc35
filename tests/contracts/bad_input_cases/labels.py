"""The budget and the ledger."""

from pathlib import Path

import pandas as pd

from bad_input_cases.case import COLUMNS, LEDGER, Case, ledger, write
from components.datasets.oracle import write_oracle

ORACLE, VECTORS = Path("data/ingest/oracle.parquet"), Path("data/embed/embeddings.npy")


def _unknown() -> None:
    """The source knows no classes."""
    write_oracle(ORACLE, pd.DataFrame({"id": [], "class": []}, dtype="str"), [])


LABELS = [
    Case("a budget above the labels there are", "label", "lower it", settings={"label.budget": 5000}),
    Case("a budget below the number of classes", "label", "raise label.budget", 0, settings={"label.budget": 2}),
    Case("a budget of one label", "label", "raise label.budget", settings={"label.budget": 1}),
    Case("a label for a sample that is not there", "label", "line 2", do=ledger("feed,cat,me,person,,,,\n")),
    Case("a label for a made picture that is gone", "label", "git", do=ledger("synthetic-0,cat,me,person,,,,\n")),
    Case("a label of an unknown class", "label", "did you mean 'cat'", do=ledger("{train},cats,me,person,,,,\n")),
    Case("a label for a test sample", "label", "evaluate", 0, do=ledger("{test},cat,me,person,,,,\n")),
    Case("a label from an unknown source", "label", "did you mean", do=ledger("{train},cat,me,persn,,,,\n")),
    Case("a ledger without a column", "label", "line 1", do=write(str(LEDGER), "id,label\n")),
    Case("a ledger cut in half", "label", "line 2", do=ledger("{train},cat,m")),
    Case("a ledger with an open quote", "label", "not valid CSV", do=ledger('{train},"cat,me,person\n')),
    Case("a ledger that is not UTF-8", "label", "UTF-8", do=write(str(LEDGER), COLUMNS.encode() + b"\xe9,a,b\n")),
    Case("a ledger that is a spreadsheet", "label", "UTF-8", do=write(str(LEDGER), b"PK\x03\x04\xff\xfe" * 9)),
    Case("blank rows in the ledger", "label", "", 0, do=ledger("\n,,,,,,,\n;;;;;;;\n")),
    Case("a row with other separators", "label", "1 of 8 fields", do=ledger("{train};cat;me;person;;;;\n")),
    Case("a ledger with a conflict", "label", "marker", do=ledger("<<<<<<< HEAD\n{train},cat,me,person,,,,\n")),
    Case("a date in the ledger that is none", "label", "2026-03-01T", 0, do=ledger("{train},cat,me,person,,,soon,\n")),
    Case("no date where order matters", "label", "mend it", do=ledger("{train},cat,me,person,,,soon,\n" * 2)),
    Case("an id that a spreadsheet changed", "label", "--gone", do=ledger("1.23457E+15,cat,me,person,,,,\n")),
    Case("a row that repeats the one above", "label", "line 3", 0, do=ledger("{train},cat,me,person,,,,\n" * 2)),
    Case(
        "an answer whose date is older than that of the row above",
        "label",
        "line 3",
        0,
        do=ledger("{train},cat,me,person,,,2062-03-01,\n{train},dog,me,person,,,2026-03-02,\n"),
    ),
    Case("a class setting that is a number", "label", "in quotes", settings={"label.classes": [1, "cat"]}),
    Case("a class setting that lacks one", "label", "lacks 'dog'", settings={"label.classes": ["cat", "emu"]}),
    Case("questions where nobody said what classes there are", "winnow label", "[cat, dog]", do=_unknown),
    Case("questions before there are vectors", "winnow label", "embed", do=lambda: VECTORS.unlink()),
    Case("questions about test samples whose class is known", "winnow label --test", "none to ask about"),
    Case("an import of what is not there", "winnow label import gone.csv", "is no file"),
    Case("an import cut in half", "winnow label import a.json", "is all of the file", do=write("a.json", '[{"data"')),
    Case("an import without a name", "winnow label import a.csv", "--annotator", do=write("a.csv", "id,label\n")),
    Case(
        "an import with an unknown sample and a misspelled class",
        "winnow label import a.csv --annotator me",
        "2 about samples that are not there",
        do=write("a.csv", "id,label\nfeed,cat\nfeee,cats\n"),
    ),
    Case("an export into a file of another kind", "winnow label export a.txt", "neither .csv"),
    Case("a push to no server", "winnow label push", "set both in the environment"),
    Case("a pull from no server", "winnow label pull", "set both in the environment"),
    Case(
        "an import that says its labels are the source's",
        "winnow label import a.csv --annotator me",
        "is no person's",
        do=write("a.csv", "id,label,source\nfeed,cat,oracle\n"),
    ),
    Case(
        "an import that says a name twice",
        "winnow label import a.json",
        "says 'id' twice",
        do=write("a.json", '[{"data": {"id": 1, "id": 2}}]'),
    ),
    Case("taking back nobody's answers", "winnow label retract", "--round N"),
    Case("taking back the answers of a stranger", "winnow label retract --annotator me", "no answers at all"),
    Case("a ledger that is missing", "label", "restore", do=lambda: LEDGER.unlink()),
]
