"""docs/methods.md says what was measured, of every method there is."""

from benchmarks.methods_page import PAGE, page
from components.core import registry


def test_the_page_is_what_the_kept_figures_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m benchmarks.methods_page`"


def test_every_self_supervised_method_is_on_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in registry.names("self_supervised") if name not in text] == []
