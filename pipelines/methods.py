"""Every plug-in by family with its caption, read from the files without importing them."""

import ast
from pathlib import Path

from components.core.registry import FAMILIES, folder, names


def listing() -> str:
    """A table: family, then name and caption (first line of the file's docstring) of each plug-in."""
    width = max(len(name) for family in FAMILIES for name in names(family))
    blocks = []
    for family in FAMILIES:
        rows = [f"  {name:<{width}}  {_caption(folder(family) / f'{name}.py')}" for name in names(family)]
        blocks.append("\n".join([family.replace("_", " "), *rows]))
    return "\n\n".join(blocks)


def _caption(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""
