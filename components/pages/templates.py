"""Templates of the pages for people: every text from the data escaped, nothing loaded from elsewhere, one style."""

from pathlib import Path
from typing import TYPE_CHECKING

from components.pages.style import STYLE

if TYPE_CHECKING:
    from jinja2 import Environment


def templates() -> "Environment":
    """The environment that knows this folder's templates and the style that all pages share; a gap is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["style"] = Markup(STYLE)  # noqa: S704  our own, not from the data
    return environment
