"""YAML without its surprises: text, plain numbers, true, false, lists, blocks; what only looks like one is refused."""

import re
from typing import Any, NoReturn

import yaml

from components.core.errors import WinnowError
from components.core.terminal import one_line

LARGEST = 2**63 - 1
DEEPEST = 20  # blocks inside blocks
_TAG = "tag:yaml.org,2002:"
_PLAIN = {  # the one way in which each kind may be written
    "int": re.compile(r"[-+]?(0|[1-9]\d*)", re.ASCII),
    "float": re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
}
_KINDS = {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str, where: str) -> Any:
    """The one document in `text`. Raises WinnowError naming the line in `where` for what is refused.

    Refused are aliases (they grow without bound), a key that stands twice (YAML takes the last without a word), keys
    that are no text, tags, control characters, and numbers in YAML 1.1's other ways (010 is 8, 1:30 is 90, yes is
    true, 1_000, 0x10, dates). Raises yaml.YAMLError for what is no YAML.
    """
    _check_shape(text, where)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _check(node, where)
        return loader.construct_document(node) if node else None
    finally:
        loader.dispose()


def _check_shape(text: str, where: str) -> None:
    """Aliases and depth, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent):
            raise WinnowError(f"{where} uses a YAML alias (*name), which is not allowed: write the value out.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            _refuse(event, where, f"more than {DEEPEST} blocks or lists inside each other: write it flatter.")


def _check(node: yaml.Node | None, where: str) -> None:
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node, where)
    elif isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        for item in node.value:
            _check(item, where)
    elif isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
        _check_keys(node, where)
        for _, value in node.value:
            _check(value, where)
    elif node is not None:
        _refuse(node, where, f"the tag {node.tag} is not allowed: leave it out.")


def _check_keys(node: yaml.MappingNode, where: str) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse(key, where, "a list or a block stands where a setting's name belongs: write `name: value`.")
        if key.tag == _TAG + "merge":
            _refuse(key, where, "the merge key << is not allowed: write the values out.")
        if key.tag != _TAG + "str":
            _refuse(key, where, f"{shown(key.value)} is no name of a setting: put it in quotes if it is meant as text.")
        _check_scalar(key, where)
        if key.value in seen:
            _refuse(key, where, f"'{shown(key.value)}' stands here a second time: keep one of the two.")
        seen.add(key.value)


def _check_scalar(node: yaml.ScalarNode, where: str) -> None:
    kind, text = node.tag.removeprefix(_TAG), node.value
    if _CONTROL.search(text):
        _refuse(node, where, f"{shown(text)} holds a control character: take it out.")
    if kind in ("str", "null"):
        return
    if kind not in _KINDS:
        _refuse(node, where, f"the tag {node.tag} is not allowed: leave it out.")
    plain = _PLAIN.get(kind)
    if plain is None or not plain.fullmatch(text):
        want = "true or false" if kind == "bool" else "a number in plain digits"
        told = f"{shown(text)} is {_KINDS[kind]} to YAML"
        _refuse(node, where, f"{told}: put it in quotes if it is meant as text, else write {want}.")
    if kind == "int" and (len(text) > 20 or abs(int(text)) > LARGEST):
        _refuse(node, where, f"{shown(text)} is too large: a whole number may be {LARGEST} at most.")


def shown(text: str, most: int = 40) -> str:
    """The text's beginning as one line, with what a terminal would obey made visible."""
    return one_line(text if len(text) <= most else f"{text[:most]}...")


def _refuse(at: Any, where: str, sentence: str) -> NoReturn:
    raise WinnowError(f"{where}, line {at.start_mark.line + 1}: {sentence}")
