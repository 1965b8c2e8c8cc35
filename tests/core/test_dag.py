"""What dvc.yaml says of a stage, and the key that names its work."""

from pathlib import Path

import pytest

from components.core.dag import CODE, by_argument, check_named, read_stages
from components.core.errors import WinnowError

YAML = """
stages:
  a:
    cmd: python -m components.core.stage a
    params: [seed, a.method.name]
    deps: [data/raw, data/code/a.json]
    outs: [data/a/x.npy]
    metrics: [{data/a/m.json: {cache: false}}]
    plots: [{data/a/h.csv: {x: epoch}}]
"""
PARAMS = {"seed": 0, "a": {"method": {"name": "one"}}, "b": 1}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text(YAML)
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/1").write_text("1")
    (tmp_path / "data/code").mkdir()
    (tmp_path / "data/code/a.json").write_text("{}")
    return tmp_path


def test_what_a_stage_reads_is_named_by_its_files_and_its_code_is_no_argument(root: Path) -> None:
    spec = read_stages(root)["a"]
    assert spec.dependencies == (Path("data/raw"), Path("data/code/a.json"))
    assert spec.outputs == (Path("data/a/x.npy"), Path("data/a/m.json"), Path("data/a/h.csv"))
    assert spec.inputs == {"raw": Path("data/raw")}
    assert spec.chosen(PARAMS) == {"seed": 0, "a.method.name": "one"}


def test_a_stage_is_told_those_of_others_settings_that_it_lists_and_no_more(root: Path) -> None:
    (root / "dvc.yaml").write_text(YAML.replace("[seed, a.method.name]", "[seed, a, b.method, b.other.size, c.empty]"))
    params = {"seed": 0, "a": {"size": 1}, "b": {"method": {"name": "one"}, "other": {"size": 2, "more": 3}}}
    told = {"b": {"method": {"name": "one"}, "other": {"size": 2}}, "c": {"empty": None}}
    assert read_stages(root)["a"].told(params) == {"settings": told}
    (root / "dvc.yaml").write_text(YAML.replace("[seed, a.method.name]", "[seed, a]"))
    assert read_stages(root)["a"].told(params) == {}


def test_a_setting_that_dvc_needs_and_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(WinnowError, match=r"params\.yaml has no a\.method\.name"):
        check_named({"seed": 0, "a": {}}, root)
    check_named(PARAMS, root)


@pytest.mark.parametrize(
    ("name", "add"), [("audit", r"write audit: \{\} for its usual settings"), ("threads", "add it")]
)
def test_a_block_that_is_not_there_is_named_and_an_empty_one_is_enough(root: Path, name: str, add: str) -> None:
    (root / "dvc.yaml").write_text(YAML.replace("a.method.name", name))
    with pytest.raises(WinnowError, match=rf"^params\.yaml has no {name}, which dvc\.yaml needs: {add}"):
        check_named(PARAMS, root)
    check_named({**PARAMS, name: None}, root)


def test_a_plug_in_without_its_braces_is_told_how_to_write_it(root: Path) -> None:
    with pytest.raises(WinnowError, match=r"^a\.method is 'one': write method: \{name: one\}\.$"):
        check_named({"seed": 0, "a": {"method": "one"}}, root)


def test_a_second_file_of_a_stem_is_a_sidecar() -> None:
    paths = [Path("data/p/encoder.safetensors"), Path("data/p/encoder.json")]
    assert by_argument(paths) == {"encoder": paths[0]}


def test_the_key_changes_with_inputs_settings_and_the_chosen_method_only(root: Path) -> None:
    def key(params: dict[str, object]) -> str:
        return read_stages(root)["a"].key(params, root)

    first = key(PARAMS)
    assert key({**PARAMS, "b": 2}) == first
    assert key({**PARAMS, "seed": 1}) != first
    assert key({**PARAMS, "a": {"method": {"name": "two"}}}) != first
    (root / "data/code/a.json").write_text('{"a.py": "1"}')
    assert key(PARAMS) != first
    (root / "data/code/a.json").write_text("{}")
    assert key(PARAMS) == first
    (root / "data/raw/1").write_text("2")
    assert key(PARAMS) != first


def test_every_stage_has_its_module_its_block_and_its_folder() -> None:
    home = Path(__file__).resolve().parents[2]
    from components.core.config import read_params

    params = read_params(home / "params.yaml")
    for name, spec in read_stages(home).items():
        assert spec.command == f"python -m components.core.stage {name}"
        assert all(path.parts[:2] == ("data", name) for path in spec.outputs)
        if name != CODE.name:
            own = {setting for setting in spec.settings if "." not in setting}
            assert own <= {"seed", "threads", name}
            assert {"threads", name} <= own or spec.told(params)
            assert name in params or name not in own
            assert CODE / f"{name}.json" in spec.dependencies
