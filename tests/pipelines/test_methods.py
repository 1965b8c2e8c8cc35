"""One plug-in described: what it is, and settings that can be copied as they stand."""

import pytest
import yaml

from components.core.config import PluginChoice, parse
from components.core.errors import WinnowError
from components.core.plugins import every, load
from pipelines.methods import SETTINGS, description


@pytest.mark.parametrize(("family", "name"), [item for item in every() if item[0] in SETTINGS])
def test_settings_copied_from_the_description_are_the_defaults(family: str, name: str) -> None:
    shown = description(name)
    block, setting = SETTINGS[family]
    lines = shown.splitlines()
    start = lines.index(f"  {block}:")
    choice = PluginChoice.model_validate(yaml.safe_load("\n".join(lines[start : start + 2]))[block][setting])
    config = load(family, name).Config
    assert choice.name == name
    assert parse(config, choice.options, where="here") == config()
    explained = "\n".join(lines[start + 2 :])
    assert all(option in explained for option in config.model_fields)


def test_a_source_says_where_it_is_chosen() -> None:
    assert "ingest.source" in description("torchvision")


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(WinnowError, match="unknown method 'fixmach': did you mean 'fixmatch'"):
        description("fixmach")
