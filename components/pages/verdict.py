"""One self-contained page over all expectations; Great Expectations' own index is empty without a network."""

from html import escape
from pathlib import Path

from components.datasets.expectations import Outcome
from components.pages.style import STYLE

OWN_STYLE = """
.scroll { overflow-x: auto; }
td:last-child { overflow-wrap: anywhere; }
.kept { color: var(--accent); }
small { color: var(--mute); }
"""


def write_verdict_page(docs: Path, outcomes: list[Outcome]) -> None:
    """Write `docs/index.html`. Each table links to its page in the same folder."""
    broken = sum(not outcome.kept for outcome in outcomes)
    title = f"{broken} of {len(outcomes)} expectations broken" if broken else f"All {len(outcomes)} expectations kept"
    rows = "\n".join(_row(docs, outcome) for outcome in outcomes)
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>Winnow, data checks: {title}</title>\n<style>\n{STYLE}{OWN_STYLE}</style></head>\n"
        f"<body><main>\n<h1>{title}</h1>\n"
        "<p>What the samples must keep before anything learns from them. A table's name opens the page that Great "
        "Expectations made of it, in its own look.</p>\n<div class='scroll' tabindex='0' role='region' "
        "aria-label='Expectations'><table>\n<tr><th>Table<th>Kept<th>Expectation, and the rows that break it</tr>\n"
        f"{rows}\n</table></div>\n</main></body></html>\n"
    )
    (docs / "index.html").write_text(page, encoding="utf-8")


def _row(docs: Path, outcome: Outcome) -> str:
    pages, table = sorted((docs / "validations" / outcome.table).rglob("*.html")), escape(outcome.table)
    name = f"<a href='{escape(pages[0].relative_to(docs).as_posix())}'>{table}</a>" if pages else table
    state = "<td class='kept'>yes" if outcome.kept else "<td class='warn'>no"
    listed = "".join(f"<br><small>{escape(row)}</small>" for row in outcome.rows)
    return f"<tr><td>{name}{state}<td>{escape(outcome.sentence)}{listed}</tr>"
