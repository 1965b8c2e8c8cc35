"""docs/methods.md says what was measured; a method that was not is in none of its tables."""

from benchmarks.methods_page import PAGE, page


def test_the_page_is_what_the_kept_figures_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m benchmarks.methods_page`"
