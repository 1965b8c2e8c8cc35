"""Settings: what is wrong is said in one sentence, with the nearest valid name."""

from pathlib import Path

import pytest
import yaml
from pydantic import Field, ValidationError

from components.core.config import Config, PluginChoice, StageParams, nearest, parse, read_params
from components.core.errors import WinnowError


class Inner(Config):
    rate: float = Field(default=0.1, gt=0)


class Params(StageParams):
    epochs: int
    inner: Inner = Inner()
    method: PluginChoice = PluginChoice(name="simclr")


def test_a_typo_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(WinnowError, match=r"unknown setting pretrain\.epoch: did you mean 'epochs'\?"):
        parse(Params, {"epochs": 1, "epoch": 2}, where="pretrain")


def test_a_typo_in_a_nested_block_names_its_place() -> None:
    with pytest.raises(WinnowError, match=r"pretrain\.inner\.rat: did you mean 'rate'"):
        parse(Params, {"epochs": 1, "inner": {"rat": 2}}, where="pretrain")


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(WinnowError, match=r"^pretrain\.epochs is missing: add it to params\.yaml\.$"):
        parse(Params, {}, where="pretrain")


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast"])
def test_a_wrong_value_is_shown(rate: object) -> None:
    with pytest.raises(WinnowError, match=r"pretrain\.inner\.rate is "):
        parse(Params, {"epochs": 1, "inner": {"rate": rate}}, where="pretrain")


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = parse(Params, {"epochs": 1}, where="pretrain")
    with pytest.raises(ValidationError):
        settings.epochs = 2


def test_a_plug_in_keeps_its_own_options_beside_its_name() -> None:
    assert PluginChoice.model_validate({"name": "simclr", "temperature": 0.2}).options == {"temperature": 0.2}


def test_without_a_near_name_all_choices_are_listed() -> None:
    assert nearest("zzz", ["b", "a"]) == "Choose from a, b."


def test_yaml_aliases_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: &x [1]\nb: [*x, *x]\n")
    with pytest.raises(WinnowError, match="YAML alias"):
        read_params(path)


@pytest.mark.parametrize(("text", "why"), [("a: [", "not valid YAML"), ("- 1\n", "key: value"), ("", "key: value")])
def test_what_is_no_settings_file_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(WinnowError, match=why):
        read_params(path)


def test_yaml_cannot_make_python_objects(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(WinnowError, match="not valid YAML"):
        read_params(path)


def test_a_missing_settings_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="run this from the project's folder"):
        read_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("value", ["ray://me:s3cret@head:1", "https://host/x?token=s3cret", ["a", "s3://s3cret@b/c"]])
def test_a_secret_in_the_settings_is_refused_and_not_said(tmp_path: Path, value: object) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"pretrain": {"place": value}}))
    with pytest.raises(WinnowError, match=r"^pretrain\.place in .* holds a password or a token") as caught:
        read_params(tmp_path / "params.yaml")
    assert "s3cret" not in str(caught.value)
