"""The table of rules: what cannot be searched for, and where."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bad_input_cases.case import RULE_COLUMNS, Case, rules, write
from bad_input_cases.case import RULES as TABLE_OF_RULES
from bad_input_cases.texts import TABLE
from components.core import stage
from components.core.config import read_params
from components.core.dag import CODE
from components.stages import code

PATH = str(TABLE_OF_RULES)


def _texts(rows: str) -> None:
    """A table of texts, read, with vectors of some kind, and the rules."""
    lines = "".join(f"{'a' * 40}! number {number},{'ab'[number % 2]}\n" for number in range(20))
    Path("mine.csv").write_text("text,label\n" + lines)
    code.run(params=code.Params(), settings=read_params(), ingest=CODE / "ingest.json")
    assert stage.main("ingest") == 0
    count = pq.read_table("data/ingest/manifest.parquet").num_rows
    np.save("data/embed/embeddings.npy", np.eye(count, 8, dtype=np.float32))
    TABLE_OF_RULES.write_text(RULE_COLUMNS + rows)


RULES = [
    Case("rules for pictures", "settings", "pictures have none", do=rules("keyword,cat,cat,\n")),
    Case("rules for pictures, in the stage", "label", "pictures have none", do=rules("keyword,cat,cat,\n")),
    Case("a rule for a class that is not there", "label", "did you mean 'cat'", do=rules("keyword,meow,cats,\n")),
    Case("a rule of an unknown kind", "settings", "did you mean 'regex'", settings=TABLE, do=rules("regx,a,a,\n")),
    Case("a broken regular expression", "settings", "line 3", settings=TABLE, do=rules("keyword,b,b,\nregex,(a,a,\n")),
    Case("a rule without a class", "label", "column class", do=rules("keyword,meow,,\n")),
    Case("a rule with a comma outside quotes", "label", "quotes", do=rules("regex,a{1,2},cat,x\n")),
    Case("the same rule twice", "label", "repeats line 2", do=rules("keyword,meow,cat,\nkeyword,meow,cat,x\n")),
    Case("a table of rules with other columns", "label", "columns must be", do=write(PATH, "pattern,label\na,b\n")),
    Case("a table of rules that is empty", "label", "first line", do=write(PATH, "")),
    Case("a table of rules that is not UTF-8", "label", "UTF-8", do=write(PATH, RULE_COLUMNS.encode() + b"\xe9,a,b\n")),
    Case("a table of rules that is missing", "label", "restore", do=TABLE_OF_RULES.unlink),
    Case(
        "a regular expression that would take years",
        "label",
        "simpler",
        settings={**TABLE, "label.rule_seconds": 1},
        do=lambda: _texts("regex,(a+)+$,a,greedy\n"),
    ),
    Case(
        "rules that match nothing, and no label",
        "label",
        "no rule matches",
        settings={**TABLE, "label.budget": 0},
        do=lambda: _texts("keyword,zebra,a,\n"),
    ),
]
