"""The README's folders and docs/files.md show what is there, with its captions. `make tree` writes both."""

import ast
import re
from pathlib import Path

from components.core.plugins import FAMILIES, places

ROOT = Path(__file__).resolve().parents[2]
README, FILES = ROOT / "README.md", ROOT / "docs/files.md"
MARKS = re.compile(r"(<!-- tree -->\n```text\n).*?(```\n<!-- /tree -->)", re.DOTALL)
CODE = ("components", "pipelines", "benchmarks")
PLAIN = {
    "params.yaml": "what to run: every setting of every stage",
    "dvc.yaml": "the graph: what depends on what",
    "Makefile": "setup, repro, test, check, bench, ui",
    "pyproject.toml": "dependencies as ranges, the tools' settings",
    "requirements.lock": "every dependency's exact version and hash",
    "requirements-photos.lock": "the same of what `make photos` brings",
    "data/raw/": "your pictures, or nothing",
    "data/weights/": "weights to start from, or nothing",
    "data/labels/ledger.csv": "every label a person gave, append-only",
    "data/labels/rules.csv": "patterns that speak for a class, of texts",
    "docs/": "architecture, own pictures, labels, serving, every file, and the log of what was tried",
    "infra/": "what runs the servers",
    "tests/": "mirrors components/ and pipelines/; contracts/ runs over every plug-in found",
}
ONE_EACH = "One file each: `winnow methods` lists them with their captions."


def folders() -> str:
    """A line for each folder with code: its path, and the first line of its docstring."""
    lines = [f"{path:<38}{caption}" for path, caption in PLAIN.items()]
    for top in CODE:
        every = [path for path in _packages(top) if path == ROOT / top or _modules(path)]
        lines += ["", *(f"{_shown(path) + '/':<38}{_caption(path / '__init__.py')}".rstrip() for path in every)]
    return "\n".join(lines) + "\n"


def files() -> str:
    """A section for each folder: its modules, and the first line of each one's docstring; plug-ins are not listed."""
    families = {Path(place).resolve() for family in FAMILIES for place in places(family)}
    parts = ["# Every file", "Written by `make tree` from the first lines of the files."]
    for path in (path for top in CODE for path in _packages(top) if _modules(path)):
        plain = [file for file in _modules(path) if path not in families or file.name.startswith("_")]
        parts += [f"## {_shown(path)}/", _caption(path / "__init__.py") + ".", *([ONE_EACH] * (path in families))]
        parts += ["\n".join(f"- `{file.name}`: {_caption(file)}" for file in plain)] if plain else []
    return "\n\n".join(parts) + "\n"


def _packages(top: str) -> list[Path]:
    return sorted({path.parent for path in (ROOT / top).rglob("*.py")})


def _modules(package: Path) -> list[Path]:
    return [path for path in sorted(package.glob("*.py")) if path.name != "__init__.py"]


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _caption(path: Path) -> str:
    if not path.is_file():
        return ""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0].rstrip(".") if docstring else ""


def _with_folders(readme: str) -> str:
    return MARKS.sub(lambda found: found[1] + folders() + found[2], readme)


def test_the_folders_in_the_readme_are_those_that_are() -> None:
    readme = README.read_text(encoding="utf-8")
    assert readme == _with_folders(readme), "run `make tree`"


def test_the_page_of_files_lists_those_that_are() -> None:
    assert FILES.read_text(encoding="utf-8") == files(), "run `make tree`"


def test_every_code_file_has_a_caption() -> None:
    bare = [str(p) for top in CODE for p in (ROOT / top).rglob("*.py") if p.name != "__init__.py" and not _caption(p)]
    assert not bare


def test_everything_named_in_the_tree_exists() -> None:
    assert all((ROOT / path).exists() for path in PLAIN)


if __name__ == "__main__":
    README.write_text(_with_folders(README.read_text(encoding="utf-8")), encoding="utf-8")
    FILES.write_text(files(), encoding="utf-8")
