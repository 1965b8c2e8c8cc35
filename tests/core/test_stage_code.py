"""A stage's code: what it imports, the chosen plug-ins among it; words in it do not count."""

from pathlib import Path

import pytest

from components.core import code
from components.core.config import read_params
from components.core.dag import CODE, read_stages
from components.core.errors import WinnowError

ROOT = Path(__file__).resolve().parents[2]
PARAMS = read_params(ROOT / "params.yaml")
STAGES = [name for name in read_stages(ROOT) if name != CODE.name]


def _files(stage: str, **changes: dict[str, object]) -> set[str]:
    params = {
        name: {**block, **changes.get(name, {})} if isinstance(block, dict) else block for name, block in PARAMS.items()
    }
    return {path.as_posix() for path in code.files(stage, params, ROOT)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_stands_on_its_own_file_and_on_the_seeds_of_all_that_is_core(stage: str) -> None:
    found = _files(stage)
    assert f"components/stages/{stage}.py" in found
    assert {path for path in found if path.startswith("components/core/")} <= {"components/core/seeds.py"}
    assert all((ROOT / path).is_file() for path in found)


def test_of_the_plugins_those_that_are_chosen_count_with_their_helpers() -> None:
    queue, method = "components/methods/queue.py", "components/methods/self_supervised/{}.py"
    simclr, moco = _files("pretrain"), _files("pretrain", pretrain={"method": {"name": "moco"}})
    assert method.format("simclr") in simclr
    assert queue not in simclr
    assert {method.format("moco"), queue} <= moco
    assert method.format("simclr") not in moco


def test_of_a_kind_of_data_a_stage_stands_on_what_it_asks_of_it_alone() -> None:
    decode, hashes, views = (f"components/modalities/image/{name}.py" for name in ("decode", "near", "augment"))
    asking = {path: {stage for stage in STAGES if path in _files(stage)} for path in (decode, hashes, views)}
    assert asking[decode] == {"ingest", "finetune"}  # made pictures are decoded to be learned from
    assert asking[hashes] == {"ingest"}
    assert {"augment", "pretrain", "finetune"} <= asking[views]
    assert asking[views].isdisjoint({"ingest", "validate", "embed", "label", "select", "register"})


def test_a_template_counts_where_the_module_of_its_name_does() -> None:
    assert "components/pages/gallery.html.jinja" in _files("select")
    assert "components/pages/gallery.html.jinja" not in _files("embed")


def test_a_stage_chooses_by_its_own_setting_where_it_has_one() -> None:
    strategy = "components/methods/query_strategies/{}.py"
    assert strategy.format("k_medoids") in _files("label")
    assert strategy.format("k_medoids") not in _files("select")
    assert strategy.format("margin") in _files("select")


PLAIN = """def two(x):
    return f"{x} # no comment" + '2'
"""
WORDS = """# a comment
\"\"\"What the module is.\"\"\"


def two(x):  # another
    \"\"\"What the function does,

    at length.
    \"\"\"
    return f"{x} # no comment" + '2'
"""


def test_comments_docstrings_and_empty_lines_change_no_digest_and_anything_else_does(tmp_path: Path) -> None:
    digests = []
    for number, text in enumerate((PLAIN, WORDS, PLAIN.replace("# no", "# a"), PLAIN.replace("'2'", "'3'"))):
        path = tmp_path / f"{number}.py"
        path.write_text(text)
        digests.append(code.digest(path))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_code_that_is_not_what_was_written_down_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = tmp_path / "components/stages/one.py"
    stage.parent.mkdir(parents=True)
    stage.write_text("x = 1\n")
    (tmp_path / "params.yaml").write_text("seed: 0\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  one: {cmd: x, deps: [data/code/one.json], outs: [data/one/x]}\n")
    monkeypatch.chdir(tmp_path)
    spec = read_stages()["one"]
    with pytest.raises(
        WinnowError, match=r"stages/one\.py has changed since data/code was written: run `dvc repro one`"
    ):
        code.code_of(spec, {})
    assert code.stale() == {}  # nothing was written down yet
    CODE.mkdir(parents=True)
    (CODE / "one.json").write_text('{"components/stages/one.py": "' + code.digest(stage) + '"}')
    assert code.code_of(spec, {}) == [Path("components/stages/one.py")]
    stage.write_text("x = 22\n")
    assert code.stale() == {"one": ["components/stages/one.py"]}


CLASS = '''import numpy as np


class Kind:
    """A kind."""

    noun = "kind"

    def read(self):
        """Reads."""
        return np.zeros(1)

    @property
    def shown(self):
        return self.noun
'''


@pytest.mark.parametrize(
    ("change", "counts"), [("np.zeros(1)", True), ("self.noun", False), ("@property", False), ('"kind"', True)]
)
def test_of_a_class_those_methods_count_that_are_named(tmp_path: Path, change: str, counts: bool) -> None:
    (before := tmp_path / "before.py").write_text(CLASS)
    (after := tmp_path / "after.py").write_text(CLASS.replace(change, change[:1] + "x" + change[1:]))
    named = {"read"}
    assert (code.digest(before, named) != code.digest(after, named)) is counts
    assert code.digest(before) != code.digest(after)
