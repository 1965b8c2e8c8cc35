"""Texts with every fault planted on purpose: kept as it is, mended or left out, and named for its reason."""

import re
from pathlib import Path

import pytest

from benchmarks import dirty_texts

KEPT = "kept, [0-9,]+ characters$"
FATE = {  # fault -> what becomes of its texts, and what is said beside it
    "quotes, separators and line ends in a cell": (KEPT, "$"),
    "cells that look like formulas": (KEPT, "$"),
    "twelve languages in ten scripts": (KEPT, "$"),
    "emoji, families and skins": (KEPT, "$"),
    "texts as short as a message": (KEPT, "$"),
    "a single character": (KEPT, "$"),
    "HTML, scripts and templates": (KEPT, "$"),
    "accents apart from their letters": (KEPT, "$"),
    "NUL and control characters": (KEPT, "4 of [0-9]+ texts held NUL or other control characters"),
    "marks that turn the direction of writing": (KEPT, "4 of [0-9]+ texts held NUL or other control characters"),
    "100,000 words": ("kept, 10,000 characters$", "1 of [0-9]+ texts are longer than ingest.modality.characters"),
    "nothing, blanks and line ends alone": ("unreadable: empty", "$"),
    "exact copies": ("duplicate: the same text is kept as copy-0", "$"),
    "near-duplicates": (KEPT, "[0-9] samples are nearly the same as others"),
    "one text under two classes": ("conflict: the same text is under 'sea' and 'law'", "$"),
    "nearly one text under two classes": (KEPT, "2 near-duplicates bear different classes, such as slight-0"),
    "a training text in the test split": ("leak: the same text is in the test split: leak-1", "$"),
    "nearly a training text in the test split": (
        "leak: nearly the same text is in the test split: close-1",
        "No group of near-duplicates is in both splits.*close-0, close-1",
    ),
    "a head that many share": (KEPT, "30 of [0-9]+ texts begin alike, .* 16 words: 'You get this message"),
    "a foot that many share": (KEPT, "30 of [0-9]+ texts end alike, .* 14 words: '-- Sent from my phone"),
    "damaged rows": ("unreadable: 2 cells where the first line names 4", "$"),
    "a table in Latin-1": ("kept$", "encoded.csv is not UTF-8 and was read as Latin-1"),
    "a table in Windows-1252 quotes": ("kept$", r"encoded.csv is not UTF-8 .* \(Windows-1252\)"),
    "a table in UTF-8 with a mark": ("kept$", "encoded.csv begins with a byte order mark"),
    "a table in UTF-16 with a mark": ("kept$", "encoded.csv is written in UTF-16, as its first bytes say"),
    "a table in UTF-16 without a mark": ("kept$", "encoded.csv is written in UTF-16, though no first bytes say so"),
    "a table in UTF-16, high bytes first, without a mark": ("kept$", "encoded.csv is written in UTF-16, though"),
    "a .txt file in Latin-1": ("kept$", "2 of [0-9]+ texts are not UTF-8 and were read as Latin-1"),
    "a .txt file in Windows-1252 quotes": ("kept$", "2 of [0-9]+ texts are not UTF-8 and were read as Latin-1"),
    "a .txt file in UTF-8 with a mark": ("kept$", "$"),
    "a .txt file in UTF-16 with a mark": ("kept$", "$"),
    "a .txt file in UTF-16 without a mark": ("kept$", "$"),
    "a .txt file in UTF-16, high bytes first, without a mark": ("kept$", "$"),
    "a .txt file that is a picture": ("unreadable: bytes that no encoding of a text has", "$"),
    "a .txt file that is empty": ("unreadable: empty", "$"),
    "sep=; above the names": ("kept, 20 texts$", "sep.csv: columns are parted by ';'"),
    "NULL, None, NaN, n/a as classes": ("refused$", "cells.csv has 'NULL' .* say which cells mean that there is no"),
    "the same, said in the settings": (KEPT, "cells.csv: 'NULL' in 1 rows .* means no class"),
    "JSON lines: half a line": ("unreadable: a line that is no JSON object", "$"),
    "JSON lines: a list": ("unreadable: a line that is no JSON object", "$"),
    "JSON lines: a name twice": ("unreadable: a line that names 'text' twice", "$"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What became of each fault's texts, and what was said of them."""
    home = tmp_path_factory.mktemp("dirty")
    lines = [*dirty_texts.of_table(Path(home)), *dirty_texts.of_files(Path(home))]
    return {name: (fate, said) for name, _, fate, said in lines}


@pytest.mark.parametrize("fault", list(FATE))
def test_a_planted_fault_is_kept_mended_or_left_out_and_named(found: dict[str, tuple[str, str]], fault: str) -> None:
    for pattern, text in zip(FATE[fault], found[fault], strict=True):
        assert re.match(pattern, text), text


def test_no_planted_fault_is_missing_here(found: dict[str, tuple[str, str]]) -> None:
    assert set(found) == set(FATE)
