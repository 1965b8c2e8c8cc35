"""Plug-ins are found by their file names."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.core import plugins
from components.core.config import Config, PluginChoice
from components.core.errors import WinnowError


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    home = tmp_path / "toy_plugins"
    home.mkdir()
    (home / "__init__.py").write_text("")
    (home / "_private.py").write_text("raise AssertionError('imported')\n")
    (home / "two_words.py").write_text(
        "from components.core.config import Config\n"
        "class TwoWords:\n"
        "    class Config(Config):\n"
        "        size: int = 1\n"
        "    def __init__(self, part, config):\n"
        "        self.part, self.size = part, config.size\n"
    )
    (home / "empty.py").write_text("from components.core.config import Config as Empty\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(plugins.FAMILIES, "toy_kind", "toy_plugins")
    return "toy_kind"


def test_every_public_file_of_the_folder_is_a_plug_in(family: str) -> None:
    assert plugins.names(family) == ["empty", "two_words"]
    assert (family, "two_words") in list(plugins.every())


def test_a_plug_in_is_built_with_its_parts_and_its_own_settings(family: str) -> None:
    made = plugins.build(family, PluginChoice(name="two_words", size=3), "part", where="toy")
    assert (made.part, made.size) == ("part", 3)


def test_an_unknown_option_of_a_plug_in_is_refused(family: str) -> None:
    with pytest.raises(WinnowError, match=r"toy\.method\.sise: did you mean 'size'"):
        plugins.build(family, PluginChoice(name="two_words", sise=3), "part", where="toy.method")


def test_an_unknown_plug_in_is_answered_with_the_nearest(family: str) -> None:
    with pytest.raises(WinnowError, match="unknown toy-kind 'two_word': did you mean 'two_words'"):
        plugins.load(family, "two_word")


def test_what_a_file_only_imports_is_not_its_plug_in(family: str) -> None:
    with pytest.raises(AssertionError, match="defines nothing named like its file"):
        plugins.load(family, "empty")
    assert Config.__module__ == "components.core.config"


def test_listing_names_imports_nothing_heavy() -> None:
    code = "import sys; from components.core.plugins import every; list(every()); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("place", "family"), plugins.CHOICES.items())
def test_an_unknown_name_in_the_settings_is_found_without_an_import(place: tuple[str, str], family: str) -> None:
    owner, setting = place
    with pytest.raises(WinnowError, match=f"'no_such' in {owner}.{setting}"):
        plugins.check_chosen({owner: {setting: {"name": "no_such"}}})
    plugins.check_chosen({owner: {setting: {"name": plugins.names(family)[0]}}})


@pytest.mark.parametrize("odd", [{}, {"label": None}, {"label": 3}, {"label": {"first": "x"}}])
def test_what_the_settings_check_says_better_is_left_to_it(odd: dict[str, object]) -> None:
    plugins.check_chosen(odd)
