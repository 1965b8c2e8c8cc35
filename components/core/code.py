"""The code that decides a stage's bytes: what its file imports, the chosen plug-ins among it, but no comment in it.

Orchestration decides when and where a stage runs, not its bytes: of `components/core` the seeds alone count.
"""

import ast
import functools
import hashlib
import io
import json
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.config import read_params
from components.core.dag import CODE, StageSpec, read_stages
from components.core.errors import WinnowError
from components.core.plugins import CHOICES, FAMILIES, names

CORE, COUNTS = "components.core", ("components.core.seeds",)
PARTED = "components.modalities"  # its classes say many things, of which a stage asks a few: these alone count

PYTHON = (".py", ".pyc")


@dataclass(frozen=True)
class _Needs:
    """The modules of ours that some code imports, the families of plug-ins that it builds, and attributes it names."""

    imported: list[str]
    families: list[str]
    names: set[str]


@dataclass(frozen=True)
class _Method:
    """Of a class: its name, the lines it stands on, what it needs."""

    name: str
    lines: range
    needs: _Needs


@dataclass(frozen=True)
class _Source:
    """lines: the text without comments and docstrings; needs: of all of it but its classes' methods, and these."""

    lines: list[bytes]
    needs: _Needs
    methods: list[_Method]

    def bare(self, named: set[str] | None = None) -> bytes:
        """The text without empty lines; of methods those alone that are named, where it is said which are."""
        left_out = {row for one in self.methods if named is not None and one.name not in named for row in one.lines}
        return b"\n".join(line for row, line in enumerate(self.lines, 1) if line and row not in left_out)


def files(stage: str, params: dict[str, Any], root: Path = Path()) -> list[Path]:
    """Files below `root` that the stage imports, directly or through others, functions' own imports included; in order.

    Of a family of plug-ins only those that the settings choose; a template beside the module of its name comes along.
    A file that holds its docstring alone, as most `__init__.py` do, decides nothing.
    """
    return _reached(stage, params, root)[0]


def _reached(stage: str, params: dict[str, Any], root: Path) -> tuple[list[Path], set[str]]:
    """The stage's files, and every attribute that code in them names."""
    waiting = [f"components.stages.{stage}"]
    seen: dict[str, Path] = {}
    names: set[str] = set()
    asleep: list[_Method] = []  # methods that nothing has named so far
    while waiting:
        module = waiting.pop()
        path = _path(module, root)
        if module in seen or path is None or (module.startswith(CORE) and module not in COUNTS):
            continue
        seen[module] = path
        source = _read(path, path.stat().st_mtime_ns)
        asleep += source.methods
        for needs in [source.needs, *([] if module.startswith(PARTED) else [one.needs for one in source.methods])]:
            waiting += _follow(needs, names, stage, params)
        while awake := [one for one in asleep if one.name in names]:
            asleep = [one for one in asleep if one.name not in names]
            waiting += [module for one in awake for module in _follow(one.needs, names, stage, params)]
    modules = [path for path in seen.values() if _read(path, path.stat().st_mtime_ns).bare()]
    beside = [other for path in modules for other in path.parent.glob(f"{path.stem}.*") if other.suffix not in PYTHON]
    return sorted(path.relative_to(root) for path in {*modules, *beside}), names


def _follow(needs: _Needs, names: set[str], stage: str, params: dict[str, Any]) -> list[str]:
    """Modules that come with some code; what it names joins the names."""
    names |= needs.names
    chosen = [f"{FAMILIES[one]}.{name}" for one in needs.families for name in _chosen(stage, one, params)]
    return [*needs.imported, *chosen]


def digests(stage: str, params: dict[str, Any], root: Path = Path()) -> dict[str, str]:
    """sha256 of each of the stage's files by its path, for Python without comments and docstrings.

    Of a kind of data's methods those alone count that the stage's code names.
    """
    found, names = _reached(stage, params, root)
    parted = Path(*PARTED.split("."))
    return {path.as_posix(): digest(root / path, names if path.is_relative_to(parted) else None) for path in found}


def changes(stage: str, params: dict[str, Any]) -> list[str]:
    """Paths of the stage's files that are no more what `data/code` says; all of them where it says nothing."""
    path = CODE / f"{stage}.json"
    then = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    now = digests(stage, params)
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))


def stale() -> dict[str, list[str]]:
    """The stages whose code is no more what `data/code` says, with the paths of what changed."""
    params = read_params()
    written = [path.stem for path in CODE.glob("*.json") if path.stem in read_stages()]
    return {stage: changed for stage in written if (changed := changes(stage, params))}


def code_of(spec: StageSpec, params: dict[str, Any]) -> list[Path]:
    """Files and folders whose content is code to a stage.

    Raises WinnowError where it is not what `data/code` says: by that DVC decides what is stale.
    """
    if not any(path.parent == CODE for path in spec.dependencies):
        return list(spec.code)
    if changed := changes(spec.name, params):
        raise WinnowError(f"{changed[0]} has changed since {CODE} was written: run `dvc repro {spec.name}`.")
    return [*spec.code, *files(spec.name, params)]


def digest(path: Path, named: set[str] | None = None) -> str:
    """sha256 of a file; of a Python file without its comments, docstrings and empty lines.

    named: methods that count; None: all do.
    """
    python = path.suffix == ".py"
    content = _read(path, path.stat().st_mtime_ns).bare(named) if python else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


@functools.cache
def _read(path: Path, changed: int) -> _Source:
    """changed: the file's time; a process that lives long reads a file again once it is another."""
    source = path.read_bytes()
    tree = ast.parse(source)
    methods = [
        inner
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for inner in node.body
        if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__")
    ]
    left_out = {id(part) for node in [*methods, *_for_types_alone(tree)] for part in ast.walk(node)}
    rest = [node for node in ast.walk(tree) if id(node) not in left_out]
    own = [_Method(one.name, _lines(one), _needs(ast.walk(one))) for one in methods]
    return _Source(_without_words(source, tree), _needs(rest), own)


def _lines(method: ast.FunctionDef) -> range:
    """From its first decorator to its end."""
    assert method.end_lineno is not None
    return range(min([method.lineno, *(one.lineno for one in method.decorator_list)]), method.end_lineno + 1)


def _for_types_alone(tree: ast.Module) -> list[ast.If]:
    """Blocks that never run."""
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return [node for node in blocks if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"]


def _without_words(source: bytes, tree: ast.Module) -> list[bytes]:
    """Lines are cut where a comment begins, and empty where a docstring stands.

    Not by `ast.dump`, whose form depends on Python's version.
    """
    lines = source.splitlines()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1].decode()[:column].encode()
    for node in ast.walk(tree):
        if (said := _docstring(node)) is not None:
            assert said.end_lineno is not None
            for row in range(said.lineno, said.end_lineno + 1):
                lines[row - 1] = b""
    return [line.rstrip() for line in lines]


def _docstring(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return None
    first = node.body[0]
    alone = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first.value if alone and isinstance(first, ast.Expr) else None


def _chosen(stage: str, family: str, params: dict[str, Any]) -> list[str]:
    """Plug-ins of the family that the settings name, those of the stage's own block if it has such a setting."""
    every = [place for place, one in CHOICES.items() if one == family]
    places = [place for place in every if place[0] == stage] or every
    if not places:
        return names(family)
    found = [(params.get(block) or {}).get(setting) for block, setting in places]
    return [str(choice["name"] if isinstance(choice, dict) else choice) for choice in found if choice]


def _path(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _needs(nodes: Iterable[ast.AST]) -> _Needs:
    needs = _Needs([], [], set())
    for node in nodes:
        if isinstance(node, ast.Attribute):
            needs.names.add(node.attr)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("components"):
            needs.imported.extend([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Import):
            needs.imported.extend(alias.name for alias in node.names if alias.name.startswith("components"))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("build", "load") and node.args[0].value in FAMILIES:
                needs.families.append(str(node.args[0].value))
    return needs
