"""Settings changed by chance: what no person means, and what one may well type."""

import random

TEXTS = (
    "2001-13-45", "2001-12-14", "9" * 5000, "-" + "9" * 30, "1e999", ".inf", ".nan", "010", "1:30", "yes", "null", "''",
    '"a\\0b"', "{a: 1}", "{1: 2}", "{[1]: 2}", "[1, [2]]", "!!python/object:os.system x", "!!binary aGk=", "*x", "<<",
    "1000000000", "9223372036854775807", "-1", "0", "0.5", "true", '"\\e[2J"', '"\\u202e"', "é", "~/x", "../../etc",
    "[" * 60 + "]" * 60, "|\n  x\n", "\tx", "{name: simclr, name: byol}", "postgresql://u:p@h/d", "x" * 5000,
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """One setting at any depth has another value or another name, or a piece of the text is gone."""
    lines = text.splitlines()
    number = chance.choice([n for n, line in enumerate(lines) if ":" in line])
    name, _, _ = lines[number].partition(":")
    kind = chance.random()
    if kind < 0.7:
        lines[number] = f"{name}: {chance.choice(TEXTS)}"
    elif kind < 0.8:
        indent = name[: len(name) - len(name.lstrip())]
        lines[number] = f"{indent}{chance.choice(TEXTS)}: 1"
    elif kind < 0.9:
        del lines[number]
    else:
        start = chance.randrange(len(text))
        return text[:start] + text[start + chance.randrange(1, 40) :]
    return "\n".join(lines) + "\n"
