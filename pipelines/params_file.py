"""A setting of params.yaml written in its place: everything else of the file, comments too, stays as it was."""

from typing import Any

import yaml

from components.core.errors import WinnowError


def with_setting(text: str, block: str, key: str, value: str | int) -> str:
    """The YAML `text` in which `block.key` is `value`, and nothing else differs.

    Raises WinnowError where the file is laid out in a way that this cannot be done in.
    """
    place = _entry(yaml.compose(text, yaml.SafeLoader), block)
    if place is None:
        changed = f"{text.rstrip()}\n\n{block}:\n  {key}: {_scalar(value)}\n"
    else:
        changed = _in_block(text, place, key, _scalar(value))
    if not _is_as_wished(changed, yaml.safe_load(text), block, key, value):
        raise WinnowError(f"{block}.{key} cannot be written into params.yaml as it is laid out: set it there by hand.")
    return changed


def _in_block(text: str, block: yaml.Node, key: str, scalar: str) -> str:
    node = _entry(block, key)
    if not isinstance(block, yaml.MappingNode) or not block.value:
        return text
    if node is None:  # before the first one, on a line of its own unless the block is written in braces
        first = block.value[0][0].start_mark
        gap = ", " if block.flow_style else f"\n{' ' * first.column}"
        return f"{text[: first.index]}{key}: {scalar}{gap}{text[first.index :]}"
    start, end = node.start_mark.index, node.end_mark.index
    blank = " " if text[start - 1] == ":" else ""  # `budget:` with nothing behind it
    return f"{text[:start]}{blank}{scalar}{text[end:]}"


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _scalar(value: str | int) -> str:
    """As YAML writes it inside braces, where more needs quotes than elsewhere."""
    listed = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return str(listed).strip()[1:-1]


def _is_as_wished(text: str, before: dict[str, Any], block: str, key: str, value: str | int) -> bool:
    try:
        return bool(yaml.safe_load(text) == {**before, block: {**(before.get(block) or {}), key: value}})
    except (yaml.YAMLError, TypeError):  # TypeError: the block holds no settings
        return False
