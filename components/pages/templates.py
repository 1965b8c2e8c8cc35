"""Templates of the pages for people: every text from the data escaped, nothing loaded from elsewhere, one style."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from components.pages.style import STYLE

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


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
    environment.filters["with_code"] = _with_code
    return environment


def _with_code(text: str) -> "Markup":
    """A sentence, escaped, in which what stands between backticks is set as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped before
