"""One self-contained page over all expectations; Great Expectations' own index is empty without a network."""

from html import escape
from pathlib import Path

_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:60rem;color:#222}td,th{padding:.4rem .8rem;"
    "text-align:left;border-bottom:1px solid #ddd;vertical-align:top}.broken{color:#b00020;font-weight:600}"
    ".kept{color:#2e7d32}small{color:#666}"
)


def write_verdict_page(docs: Path, outcomes: list[tuple[str, bool, str, list[str]]]) -> None:
    """Write `docs/index.html`; outcomes: table, whether kept, sentence, its rows. Each table links to its page."""
    broken = sum(not kept for _, kept, _, _ in outcomes)
    title = f"{broken} of {len(outcomes)} expectations broken" if broken else f"All {len(outcomes)} expectations kept"
    rows = "\n".join(_row(docs, *outcome) for outcome in outcomes)
    page = (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>\n"
        f"<h1>{title}</h1>\n<table><tr><th>Table<th>Kept<th>Expectation, and the rows that break it</tr>\n"
        f"{rows}\n</table></html>\n"
    )
    (docs / "index.html").write_text(page, encoding="utf-8")


def _row(docs: Path, table: str, kept: bool, sentence: str, offending: list[str]) -> str:
    pages = sorted((docs / "validations" / table).rglob("*.html"))
    link = pages[0].relative_to(docs).as_posix() if pages else ""
    state = "<td class='kept'>yes" if kept else "<td class='broken'>no"
    listed = "".join(f"<br><small>{escape(row)}</small>" for row in offending)
    return f"<tr><td><a href='{escape(link)}'>{escape(table)}</a>{state}<td>{escape(sentence)}{listed}</tr>"
