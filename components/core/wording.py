"""What a refused setting should have been, in plain words: a phrase for each kind of pydantic's errors."""

from typing import Any

_WHOLE, _NUMBER = "a whole number", "a number"
_PHRASES = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "path_type": "a path",
    "list_type": "a list, [first, second]",
    "tuple_type": "a list, [first, second]",
    "dict_type": "a block of settings, {{key: value}}",
    "model_type": "a block of settings, {{key: value}}",
    "too_long": "a list of {max_length}",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "greater than or equal to {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "less than or equal to {le:g}",
    "literal_error": "{expected}",
}


def wanted(error: Any) -> str:
    """What completes "it must be", for one entry of a ValidationError's `errors()`.

    A validator of our own says it in its ValueError; a kind without a phrase keeps pydantic's words.
    """
    context = error.get("ctx", {})
    if context.get("class_name") == "PluginChoice":
        given = error["input"] if isinstance(error["input"], str) else "..."
        return f"a block with a name, {{name: {given}}}"
    if error["type"] == "value_error":
        return str(context["error"]).rstrip(".")
    phrase = _PHRASES.get(error["type"])
    return phrase.format(**context) if phrase else f"otherwise ({error['msg']})"
