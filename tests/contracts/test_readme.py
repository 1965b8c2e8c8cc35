"""The README's tree is true: every file with its caption, in order. `make tree` writes it anew."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- tree -->\n```text\n", "```\n<!-- /tree -->"
CODE = ("components", "pipelines", "benchmarks")
PLAIN = {
    "params.yaml": "what to run: every setting of every stage",
    "dvc.yaml": "the graph: what depends on what",
    "Makefile": "setup, repro, test, check, bench, ui",
    "pyproject.toml": "dependencies as ranges, the tools' settings",
    "requirements.lock": "every dependency's exact version and hash",
    "data/raw/": "your pictures, or nothing",
    "data/weights/": "weights to start from, or nothing",
    "data/labels/ledger.csv": "every label a person gave, append-only",
    "docs/": "architecture, own pictures, labels, serving, and the log of what was tried",
    "infra/": "what runs the servers",
    "tests/": "mirrors components/ and pipelines/; contracts/ runs over every plug-in found",
}


def tree() -> str:
    """One line a file: its path, and the first line of its docstring."""
    lines = [f"{path:<38}{caption}" for path, caption in PLAIN.items()]
    for top in CODE:
        for folder in sorted({path.parent for path in (ROOT / top).rglob("*.py")}):
            files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            if not files and folder != ROOT / top:
                continue
            lines += ["", f"{folder.relative_to(ROOT).as_posix() + '/':<38}{_caption(folder / '__init__.py')}".rstrip()]
            lines += [f"  {path.name:<36}{_caption(path)}" for path in files]
    return "\n".join(lines) + "\n"


def _caption(path: Path) -> str:
    if not path.is_file():
        return ""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0].rstrip(".") if docstring else ""


def test_the_tree_in_the_readme_is_the_tree_that_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.split(BEGIN)[1].split(END)[0]
    assert shown == tree(), "run `make tree`"


def test_every_code_file_has_a_caption() -> None:
    bare = [str(p) for top in CODE for p in (ROOT / top).rglob("*.py") if p.name != "__init__.py" and not _caption(p)]
    assert not bare


def test_everything_named_in_the_tree_exists() -> None:
    assert all((ROOT / path).exists() for path in PLAIN)


if __name__ == "__main__":
    readme = ROOT / "README.md"
    head, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    readme.write_text(head + BEGIN + tree() + END + rest.split(END)[1], encoding="utf-8")
    sys.exit(0)
