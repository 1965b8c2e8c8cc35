"""The house stands on floors: imports go down only and in no circle, and no function is long. `make tree` prints it."""

import ast
import tomllib
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 45  # lines that no function reaches


def floors() -> list[tuple[str, ...]]:
    """From the roof down; what stands side by side is one floor."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [tuple(name.strip() for name in line.split("|")) for line in layers]


def imports(*, words_too: bool = True) -> dict[str, set[str]]:
    """What each module imports, functions' own imports included; words_too: and those for types alone."""
    graph = grimp.build_graph("components", "pipelines", exclude_type_checking_imports=not words_too, cache_dir=None)
    return {one: graph.find_modules_directly_imported_by(one) for one in sorted(graph.modules)}


def picture() -> str:
    """A line for each floor: its files, and how many of their imports lead to which other floor."""
    found, rooms = imports(), [room for floor in floors() for room in floor]
    files = Counter(_room(name, rooms) for name in found)
    counts = Counter((_room(one, rooms), _room(other, rooms)) for one, others in found.items() for other in others)
    short = [room.rpartition(".")[2] for room in rooms]
    lines = [f"{'':<12}{'files':>6} │" + "".join(f"{name:>11}" for name in short)]
    for room, name in zip(rooms, short, strict=True):
        row = "".join(f"{'·' if room == other else counts[room, other] or '':>11}" for other in rooms)
        lines.append(f"{name:<12}{files[room]:>6} │{row}")
    up, circle, (length, where) = upward(), in_a_circle(), max(_functions())
    lines.append(f"{len(found)} files, {counts.total()} imports; upward: {len(up)}; in a circle: {len(circle)} files.")
    lines.append(f"The longest function has {length} lines: {where}.")
    return "\n".join(lines)


def upward() -> list[tuple[str, str]]:
    """Imports that lead to another room of the same floor or of a higher one."""
    heights = {room: height for height, floor in enumerate(reversed(floors())) for room in floor}
    rooms = {name: _room(name, list(heights)) for name in imports()}
    pairs = [(one, other) for one, others in imports().items() for other in others if rooms[one] and rooms[other]]
    return [
        (one, other)
        for one, other in pairs
        if rooms[one] != rooms[other] and heights[rooms[other] or ""] >= heights[rooms[one] or ""]
    ]


def in_a_circle() -> list[str]:
    """Modules that import one another in a circle, where there is one."""
    try:
        TopologicalSorter(imports(words_too=False)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _room(module: str, rooms: list[str]) -> str | None:
    return next((room for room in rooms if module == room or module.startswith(f"{room}.")), None)


def _functions() -> list[tuple[int, str]]:
    found = []
    for path in (path for top in ("components", "pipelines") for path in sorted((ROOT / top).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                found.append((node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}, {node.name}"))
    return found


def test_no_import_leads_up() -> None:
    assert upward() == []


def test_no_imports_go_in_a_circle() -> None:
    assert in_a_circle() == []


def test_no_function_is_long() -> None:
    assert [where for length, where in _functions() if length >= LONGEST] == []


if __name__ == "__main__":
    print(picture())
