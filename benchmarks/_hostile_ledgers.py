"""Ledgers as editors, spreadsheets, merges and attackers leave them, each with what is right: taken or refused."""

import random
from collections.abc import Callable, Sequence

from components.datasets.ledger import COLUMNS

HEADER = ",".join(COLUMNS) + "\n"
ROW = "{id},{label},{annotator},person,1,0.5,2026-03-01T10:00:00Z,seen\n"
LONG = "9" * 5000
Edit = Callable[[str, random.Random], bytes]


def sound(ids: Sequence[str], classes: Sequence[str]) -> str:
    """A ledger that labels these samples."""
    rows = [ROW.format(id=one, label=classes[number % len(classes)], annotator="ann") for number, one in enumerate(ids)]
    return HEADER + "".join(rows)


def _field(column: str, value: str) -> Edit:
    """Another value in one row of that column."""

    def edit(text: str, chance: random.Random) -> bytes:
        lines = text.splitlines()
        number = chance.randrange(1, len(lines))
        fields = lines[number].split(",")
        fields[COLUMNS.index(column)] = value
        lines[number] = ",".join(fields)
        return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")

    return edit


def _columns(change: Callable[[list[str]], list[str]]) -> Edit:
    return lambda text, _: "".join(",".join(change(line.split(","))) + "\n" for line in text.splitlines()).encode()


def _whole(change: Callable[[str], str], encoding: str = "utf-8") -> Edit:
    return lambda text, _: change(text).encode(encoding)


def _same(text: str) -> str:
    return text


def _put(piece: bytes) -> Edit:
    """The piece somewhere in the file."""

    def edit(text: str, chance: random.Random) -> bytes:
        start = chance.randrange(len(text))
        return text[:start].encode() + piece + text[start:].encode()

    return edit


TAKEN: dict[str, Edit] = {
    "as it is": _whole(_same),
    "a byte order mark": _whole(_same, "utf-8-sig"),
    "two byte order marks": _whole(lambda text: "\ufeff\ufeff" + text),
    "Windows line ends": _whole(lambda text: text.replace("\n", "\r\n")),
    "old Mac line ends": _whole(lambda text: text.replace("\n", "\r")),
    "mixed line ends": _whole(lambda text: text.replace("\n", "\r\n", 2).replace("\n", "\r", 1)),
    "no last line end": _whole(lambda text: text.rstrip("\n")),
    "blank rows": _whole(lambda text: text.replace("\n", "\n\n,,,,,,,\n")),
    "the header again": _whole(lambda text: text + HEADER),
    "empty columns at the end": _whole(lambda text: text.replace("\n", ",,\n")),
    "every field in quotes": _columns(lambda fields: [f'"{field}"' for field in fields]),
    "a note of two lines": _field("note", '"one\ntwo"'),
    "a long note": _field("note", "x" * 100_000),
    "a note with a NUL": _field("note", "a\0b"),
    "blanks around a name": _field("annotator", "  ann  "),
    "no cost": _field("cost", ""),
    "a cost of much": _field("cost", "1e6"),
    "no date": _field("at", ""),
    "a date that is none": _field("at", "2026-13-45"),
    "a day that is none": _field("at", "2026-02-30"),
    "a date before all dates": _field("at", "0000-00-00"),
    "the first date there is": _field("at", "0001-01-01T00:00:00+23:59"),
    "the last date there is": _field("at", "9999-12-31T23:59:59-23:59"),
    "a date of thousands of digits": _field("at", LONG),
    "a formula in a note": _field("note", "=HYPERLINK(1)"),
}
REFUSED: dict[str, Edit] = {
    "a column missing": _columns(lambda fields: fields[:-1]),
    "a column twice": _columns(lambda fields: [fields[0], *fields]),
    "a column renamed": _whole(lambda text: text.replace("label", "Label", 1)),
    "columns in another order": _columns(lambda fields: fields[::-1]),
    "no header": _whole(lambda text: text.removeprefix(HEADER)),
    "semicolons": _whole(lambda text: text.replace(",", ";")),
    "tabs": _whole(lambda text: text.replace(",", "\t")),
    "UTF-16": _whole(_same, "utf-16"),
    "UTF-16 without a mark": _whole(_same, "utf-16-le"),
    "UTF-32": _whole(_same, "utf-32"),
    "Latin-1": _whole(lambda text: text.replace("seen", "gesehen für gut"), "latin-1"),
    "half a character": lambda text, _: text.encode() + "é".encode()[:1],
    "a surrogate": _field("note", "\ud800"),
    "nothing at all": _whole(lambda _: ""),
    "NULs alone": _whole(lambda _: "\0" * 1000),
    "a spreadsheet": _whole(lambda _: "PK\x03\x04" + "\xff\xfe" * 50, "latin-1"),
    "a million commas": _whole(lambda text: text + "," * 1_000_000 + "x\n"),
    "a field of a megabyte": _field("note", "x" * 2**20),
    "a quote that is not closed": _whole(lambda text: text + 'a,"cat,ann,person,,,,\n'),
    "a quote in the middle": _whole(lambda text: text + '"a"b,cat,ann,person,,,,\n'),
    "a conflict of git": _whole(lambda text: text.replace("\n", "\n<<<<<<< HEAD\n", 1)),
    "a cost below zero": _field("cost", "-1"),
    "a cost that is no number": _field("cost", "nan"),
    "a cost without end": _field("cost", "inf"),
    "a cost of thousands of digits": _field("cost", LONG),
    "a cost with an exponent of thousands of digits": _field("cost", "1e" + LONG),
    "a cost as Python writes numbers": _field("cost", "1_0"),
    "a cost in other digits": _field("cost", "١"),
    "a round below zero": _field("round", "-1"),
    "a round of thousands of digits": _field("round", LONG),
    "a round in other digits": _field("round", "²"),
    "a round with a point": _field("round", "1.0"),
    "no id": _field("id", ""),
    "an id that a spreadsheet changed": _field("id", "1.23457E+15"),
    "an id with a NUL": _field("id", "a\0b"),
    "an id of thousands of characters": _field("id", "a" * 5000),
    "an id that is a path": _field("id", "../../../etc/passwd"),
    "an id that is a formula": _field("id", "=cmd()"),
    "an id with a terminal's order": _field("id", "\x1b[2J"),
    "a made picture's id that is a path": _field("id", "synthetic-/../../../../../etc/passwd"),
    "a made picture's id with a NUL": _field("id", "synthetic-\0"),
    "a made picture's id of thousands of characters": _field("id", "synthetic-" + "a" * 5000),
    "no annotator": _field("annotator", ""),
    "a label that cannot be seen": _field("label", "ca\u200dt"),
    "a label of thousands of characters": _field("label", "c" * 5000),
    "an unknown source": _field("source", "Person"),
    "no source": _field("source", ""),
    "bytes that are no text": _put(b"\xff\xfe\x80"),
}


def by_chance(text: str, chance: random.Random) -> bytes:
    """Some pieces of the file replaced by what breaks readers of CSV."""
    content = bytearray(text.encode())
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(content) + 1)
        piece = chance.choice(
            [
                b"",
                b'"',
                b",",
                b"\0",
                b"\r",
                b"\n",
                b"\xff",
                LONG.encode(),
                b"<<<<<<< x\n",
                b"\xe2\x80\x8b",
                b"\xef\xbb\xbf",
            ]
        )
        content[start : start + chance.randint(0, 3)] = piece
    return bytes(content)
