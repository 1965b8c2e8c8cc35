"""Every table that a spreadsheet may open: no cell of it is a formula, and what reads it back reads what was meant."""

import re
from pathlib import Path

import pandas as pd
import pytest

from components.core.spreadsheet import frame_to_csv, harmless, plain, to_csv
from components.datasets.ledger import append, read_ledger
from components.datasets.revealed import read_revealed, write_revealed

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["=1+1", "@me", "+1", "-1", "\tx", "＝1", "'=1", "''-1", "'quoted'", "cat", "it's", "a=b", ""]


def test_no_cell_of_a_table_is_a_formula() -> None:
    rows = [("00ff", "=1+1", -1), ("11", "@x", 2.5), ("-1e3", "+x\t", 0)]
    assert to_csv(("id", "path", "n"), rows) == "id,path,n\n00ff,'=1+1,-1\n11,'@x,2.5\n'-1e3,'+x\t,0\n"


def test_no_cell_of_a_data_frame_is_a_formula_and_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"name": ["=1+1", "cat"], "gain": [-0.5, None], "n": [-1, 2]})
    assert frame_to_csv(frame, "%.2f") == "name,gain,n\n'=1+1,-0.50,-1\ncat,,2\n"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_made_harmless_is_read_as_it_was(name: str) -> None:
    assert plain(str(harmless(name))) == name


def test_every_table_is_written_by_the_one_function() -> None:
    written = re.compile(r"\.to_csv\(|csv\.writer|DictWriter|np\.savetxt")
    sources = [path for room in ("components", "pipelines") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in sources if written.search(path.read_text("utf-8"))] == ["spreadsheet.py"]


def test_the_ledger_and_the_revealed_labels_hold_no_formula_and_are_read_as_meant(tmp_path: Path) -> None:
    names = [name for name in NAMES if name.strip() == name]
    ledger, revealed = tmp_path / "ledger.csv", tmp_path / "revealed.csv"
    append(
        ledger, [{"id": str(n), "label": name, "annotator": "@me", "source": "person"} for n, name in enumerate(names)]
    )
    write_revealed(revealed, {str(n): name for n, name in enumerate(names)})
    assert not re.search(r'(^|,)"?[=+\-@]', ledger.read_text() + revealed.read_text(), re.MULTILINE)
    assert read_ledger(ledger)["label"].tolist() == names
    assert set(read_ledger(ledger)["annotator"]) == {"@me"}
    assert read_revealed(revealed) == {str(n): name for n, name in enumerate(names)}
