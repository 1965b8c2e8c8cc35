"""Settings: what is wrong is said in one sentence, with the nearest valid name."""

from pathlib import Path

import pytest
import yaml
from pydantic import Field, ValidationError

from components.core.config import Config, PluginChoice, StageParams, did_you_mean, parse, read_params
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


def test_where_there_is_no_setting_at_all_that_is_said() -> None:
    with pytest.raises(
        WinnowError, match=r"^unknown setting label\.aggregation\.seed: there is nothing to set here\.$"
    ):
        parse(Config, {"seed": 1}, where="label.aggregation")


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
    assert did_you_mean("zzz", ["b", "a"]) == "Choose from a, b."


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
    with pytest.raises(WinnowError, match=r"line 1: the tag .*python/object.* is not allowed"):
        read_params(path)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a: 2026-05-01", "2026-05-01 is a date to YAML: put it in quotes"),
        ("a: {b: [2001-13-45, 2001-12-14]}", "is a date"),
        ("a: 010", "010 is a number to YAML"),
        ("a: {b: [1, 0x10]}", "plain digits"),
        ("a: 1:30", "1:30 is a number to YAML"),
        ("a: 1:30.5", "plain digits"),
        ("a: 1_000", "plain digits"),
        ("a: 1_0.5", "plain digits"),
        ("a: 0b1", "plain digits"),
        ("a: yes", "write true or false"),
        ("a: {b: Off}", "write true or false"),
        ("yes: 1", "no name of a setting"),
        ("1: 1", "no name of a setting"),
        ("? [a]\n: 1", "where a setting's name belongs"),
        ("a: {? {b: 1} : 1}", "where a setting's name belongs"),
        ("<<: {a: 1}", "merge key"),
        ("a: !!set {b}", "the tag"),
        ("a: !!binary aGk=", "the tag"),
        ("a: " + "9" * 5000, "too large"),
        ("a: 9223372036854775808", "too large"),
        ('a: "x\\0"', "control character"),
        ('a: "\\e[31m"', "control character"),
        ("a: " + "[" * 21 + "]" * 21, "flatter"),
        ("a: " + "[" * 5000 + "]" * 5000, "flatter"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("a:\t- 1\n\tb: 2", "not valid YAML"),
        ("a: " + "x" * 2**20, "larger than"),
    ],
)
def test_what_yaml_would_bend_into_something_else_is_refused(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(line)
    with pytest.raises(WinnowError, match=why) as error:
        read_params(path)
    assert len(str(error.value)) < 400


def test_plain_values_are_what_they_look_like(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("\ufeffa: '2026-05-01'\nb: [0, -1, 1.5, 1.0e-3, true, null]\nc: 1e-3\nd: '010'\n", encoding="utf-8")
    assert read_params(path) == {"a": "2026-05-01", "b": [0, -1, 1.5, 0.001, True, None], "c": "1e-3", "d": "010"}


@pytest.mark.parametrize("values", [{"epochs": True}, {"epochs": "1_000"}, {"epochs": 1, "inner": {"rate": True}}])
def test_true_and_odd_text_are_no_numbers(values: dict[str, object]) -> None:
    with pytest.raises(WinnowError, match="it must be a"):
        parse(Params, values, where="pretrain")


def test_a_tilde_in_a_path_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Places(Config):
        source: str
        weights: Path

    monkeypatch.setenv("HOME", "/home/me")
    found = parse(Places, {"source": "~/pictures", "weights": "~/w.pth"}, where="ingest")
    assert (found.source, found.weights) == ("/home/me/pictures", Path("/home/me/w.pth"))


def test_a_settings_file_that_is_a_folder_is_told_apart_from_one_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="is no file"):
        read_params(tmp_path)


def test_a_missing_settings_file_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(WinnowError, match="run this from the project's folder"):
        read_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("value", ["ray://me:s3cret@head:1", "https://host/x?token=s3cret", ["a", "s3://s3cret@b/c"]])
def test_a_secret_in_the_settings_is_refused_and_not_said(tmp_path: Path, value: object) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"pretrain": {"place": value}}))
    with pytest.raises(WinnowError, match=r"^pretrain\.place in .* holds a password or a token") as caught:
        read_params(tmp_path / "params.yaml")
    assert "s3cret" not in str(caught.value)
