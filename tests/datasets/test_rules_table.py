"""The table of rules is read as it was written, and what is no rule is told by its line."""

from pathlib import Path

import pytest

from components.core.errors import WinnowError
from components.datasets.label_rules import settle_rules
from components.datasets.rules import Rule, read_rules

HEAD = "kind,pattern,class,name\n"


def _read(folder: Path, content: str) -> list[Rule]:
    (folder / "rules.csv").write_text(content)
    return read_rules(folder / "rules.csv")


def test_a_rule_has_kind_pattern_class_name_and_the_line_it_stands_on(tmp_path: Path) -> None:
    rules = _read(tmp_path, HEAD + 'keyword,boat,sea,\n\n"regex","a{1,2},b",sea,"some, a"\n')
    assert rules == [Rule("keyword", "boat", "sea", "boat", 2), Rule("regex", "a{1,2},b", "sea", "some, a", 4)]


def test_names_may_be_left_out_and_what_a_spreadsheet_adds_is_nothing(tmp_path: Path) -> None:
    rules = _read(tmp_path, "\ufeffkind,pattern,class\nkeyword,boat,sea\n,,\nkeyword,'=sum,sea\n")
    assert [rule.pattern for rule in rules] == ["boat", "=sum"]


def test_one_pattern_may_speak_for_two_classes(tmp_path: Path) -> None:
    assert len(_read(tmp_path, HEAD + "keyword,boat,sea,\nkeyword,boat,city,\n")) == 2


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("keyword,,sea,\n", "line 2, column pattern: empty"),
        ("keyword,a,se\x01a,\n", r"line 2, column class: .* \(U\+0001\)"),
        ("keyword,a\n", "line 2: 2 of 4 fields"),
        (f"keyword,{'a' * 1001},sea,\n", "line 2, column pattern: 1,001 characters"),
        ("<<<<<<< HEAD\n", "line 2: a conflict marker"),
        ('keyword,"a,sea\n', "not valid CSV"),
        ("".join(f"keyword,w{n},sea,\n" for n in range(2001)), "2,001 rules, more than 2,000"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(WinnowError, match=said):
        _read(tmp_path, HEAD + rows)


def test_classes_that_nobody_fixed_are_those_of_labels_and_rules_but_no_misspelling_of_one() -> None:
    rule = Rule("keyword", "goal", "sports", "goal", 2)
    assert settle_rules([rule], ["world"], Path("rules.csv"), fixed=False) == ["sports", "world"]
    for classes in (["Sports", "world"], ["sport", "world"]):
        with pytest.raises(WinnowError, match=r"line 2 .'goal'.: there is no class 'sports': did you mean '[Ss]port"):
            settle_rules([rule], classes, Path("rules.csv"), fixed=False)
    with pytest.raises(WinnowError, match="there is no class 'sports': Choose from world"):
        settle_rules([rule], ["world"], Path("rules.csv"), fixed=True)
