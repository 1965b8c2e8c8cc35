"""A setting of params.yaml written in its place, or taken out: the rest of the file, comments too, stays as it was."""

from collections.abc import Callable
from typing import Any

import yaml

from components.core.errors import WinnowError


def with_setting(text: str, block: str, key: str, value: Any) -> str:
    """The YAML `text` in which `block.key` is `value`, and nothing else differs.

    Raises WinnowError where the file is laid out in a way that this cannot be done in.
    """
    place = _entry(yaml.compose(text, yaml.SafeLoader), block)
    if place is None:
        changed = f"{text.rstrip()}\n\n{block}:\n  {key}: {_scalar(value)}\n"
    else:
        changed = _in_block(text, place, key, _scalar(value))
    before = yaml.safe_load(text)
    if not _holds(changed, lambda: {**before, block: {**(before.get(block) or {}), key: value}}):
        raise WinnowError(f"{block}.{key} cannot be written into params.yaml as it is laid out: set it there by hand.")
    return changed


def without_setting(text: str, block: str, key: str) -> str:
    """The YAML `text` without `block.key`, which is there, and without the rest of its lines where they are its own.

    Raises WinnowError where the file is laid out in a way that this cannot be done in.
    """
    node, before = _entry(yaml.compose(text, yaml.SafeLoader), block), yaml.safe_load(text)
    assert isinstance(node, yaml.MappingNode)
    changed = _cut(text, node, [name.value for name, _ in node.value].index(key))
    if not _holds(changed, lambda: {**before, block: {k: v for k, v in before[block].items() if k != key}}):
        raise WinnowError(f"{block}.{key} cannot be taken out of params.yaml as it is laid out: do that by hand.")
    return changed


def _cut(text: str, block: yaml.MappingNode, number: int) -> str:
    """Without the pair of that number."""
    (name, value), rest = block.value[number], block.value[number + 1 :]
    start, end = name.start_mark.index, _end(value)
    if not block.flow_style:
        return text[: text.rfind("\n", 0, start) + 1] + text[(text.find("\n", end) + 1) or len(text) :]
    if rest:
        end = rest[0][0].start_mark.index
    elif number:
        start = _end(block.value[number - 1][1])
    return text[:start] + text[end:]


def _end(node: yaml.Node) -> int:
    """Where a value ends; what is written line by line ends with its last part, not where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _in_block(text: str, block: yaml.Node, key: str, scalar: str) -> str:
    node = _entry(block, key)
    if not isinstance(block, yaml.MappingNode) or not block.value:
        return text
    if node is None:  # before the first one, on a line of its own unless the block is written in braces
        first = block.value[0][0].start_mark
        gap = ", " if block.flow_style else f"\n{' ' * first.column}"
        return f"{text[: first.index]}{key}: {scalar}{gap}{text[first.index :]}"
    start, end = node.start_mark.index, _end(node)
    blank = " " if text[start - 1] == ":" else ""  # `budget:` with nothing behind it
    return f"{text[:start]}{blank}{scalar}{text[end:]}"


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _scalar(value: Any) -> str:
    """As YAML writes it inside braces, where more needs quotes than elsewhere."""
    listed = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return str(listed).strip()[1:-1]


def _holds(text: str, wished: Callable[[], dict[str, Any]]) -> bool:
    try:
        return bool(yaml.safe_load(text) == wished())
    except (yaml.YAMLError, TypeError):  # TypeError: the block holds no settings
        return False
