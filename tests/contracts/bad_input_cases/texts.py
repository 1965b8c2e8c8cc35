"""What lies in a table of texts, and how it is asked for."""

from pathlib import Path
from typing import Any

from bad_input_cases.case import Case, write
from components.core import stage
from components.core.config import read_params
from components.core.dag import CODE
from components.stages import code

TABLE: dict[str, Any] = {
    "ingest.source": "mine.csv",
    "ingest.modality": {"name": "text"},
    "augment.policies": {name: {} for name in ("weak", "view", "strong")},
    "pretrain.encoder": {"name": "word_vectors"},
    "pretrain.method": {"name": "word2vec"},
}
ROWS = "text,label\n" + "".join(f"text number {n} of some,{'ab'[n % 2]}\n" for n in range(20))
HEAD = "This text begins with the same words as very many others of this table do which says nothing of it: "
ALIKE = "text,label\n" + "".join(f"{HEAD}{n},{'ab'[n % 2]}\n" for n in range(40))


def _of(content: str) -> dict[str, Any]:
    return {"do": write("mine.csv", content), "settings": TABLE}


def _a_folder() -> None:
    Path("mine").mkdir()
    for number in range(2):
        Path("mine", f"{number}.txt").write_text(f"text {number}")


def _view(**policy: Any) -> dict[str, Any]:
    return {**TABLE, "augment.policies": {**TABLE["augment.policies"], "view": policy}}


def _read() -> None:
    """The table; that it may pass is said already."""
    write("mine.csv", ROWS)()
    code.run(params=code.Params(), settings=read_params(), ingest=CODE / "ingest.json")
    assert stage.main("ingest") == 0


def _looked_at() -> None:
    """The pictures there are."""
    code.run(params=code.Params(), settings=read_params(), augment=CODE / "augment.json")
    assert stage.main("augment") == 0


WORDS = "data/weights/words/encoder.safetensors"
TEXTS = [
    Case("a table that is not there", "ingest", "check the path", settings=TABLE),
    Case("a table without a line of names", "ingest", "needs one", **_of("good,x\nbad,y\n")),
    Case("a table that is empty", "ingest", "is empty", **_of("")),
    Case("a table with two columns of one name", "ingest", "give each a name", **_of("text,text\na,b\n")),
    Case("a quote that is never closed", "ingest", "never closed", **_of('text,label\na,x\n"b,y\nc,x\n')),
    Case("classes that look alike", "ingest", "write them the same way", **_of("text,label\na,x\nb,X\n")),
    Case("a table with a single class", "ingest", "at least two", **_of("text,label\na,x\nb,x\n")),
    Case(
        "a table whose class column holds texts",
        "ingest",
        "which are no classes",
        **_of("text,label\n" + "".join(f"t{n},own {n}\n" for n in range(30))),
    ),
    Case(
        "a class column with cells that may mean none",
        "ingest",
        "say which cells",
        **_of("text,label\na,x\nb,y\nc,NULL\nd,n/a\n"),
    ),
    Case(
        "a cell that means no class and is not there",
        "ingest",
        "did you mean 'NULL'",
        settings={**TABLE, "ingest.columns": {"unlabeled": ["NUL"]}},
        do=write("mine.csv", "text,label\na,x\nb,y\nc,NULL\n"),
    ),
    Case(
        "cells that mean no class without a column of classes",
        "ingest",
        "has no column of classes",
        settings={**TABLE, "ingest.columns": {"unlabeled": ["NULL"]}},
        do=write("mine.csv", "text\na\nb\n"),
    ),
    Case("texts that nearly all begin alike", "ingest", "texts begin alike", **_of(ALIKE)),
    Case("a table that splits into more than two", "ingest", "a split is one of", **_of("text,split\na,fold 3\n")),
    Case("a table whose ids are not", "ingest", "ids name one row each", **_of("text,id\na,1\nb,1\n")),
    Case("a table of empty texts", "ingest", "no readable text", **_of("text,label\n ,x\n,y\n")),
    Case(
        "a column that is not there",
        "ingest",
        "did you mean 'text'",
        settings={**TABLE, "ingest.columns": {"text": "txet"}},
        do=write("mine.csv", ROWS),
    ),
    Case(
        "columns of a source that has none",
        "settings",
        "ingest.columns is not used",
        settings={"ingest.columns": {"text": "text"}},
    ),
    Case("pictures out of a table", "settings", "choose from", settings={"ingest.source": "mine.csv"}),
    Case(
        "a vocabulary of bytes with a size",
        "settings",
        "bytes, which are all in it",
        settings={**TABLE, "ingest.modality": {"name": "text", "vocabulary": "bytes", "most": 500}},
    ),
    Case(
        "a vocabulary of byte pairs without room for the bytes",
        "settings",
        "256 or more",
        settings={**TABLE, "ingest.modality": {"name": "text", "vocabulary": "bpe", "most": 100}},
    ),
    Case(
        "a vocabulary that nobody has",
        "settings",
        "wordpiece",
        settings={**TABLE, "ingest.modality": {"name": "text", "vocabulary": "sentencepiece"}},
    ),
    Case(
        "a span of texts that ends before it begins",
        "settings",
        "the least share first",
        settings={**TABLE, "augment.policies": {**TABLE["augment.policies"], "view": {"crop": [0.9, 0.1]}}},
    ),
    Case(
        "synonyms from a place that nobody watches",
        "settings",
        "put it there",
        settings=_view(synonyms={"chance": 0.1, "vectors": "/home/me/encoder.safetensors"}),
    ),
    Case("synonyms from nowhere", "settings", "either vectors", settings=_view(synonyms={"chance": 0.1})),
    Case(
        "synonyms of bytes",
        "settings",
        "whose entries are no words",
        settings={
            **_view(synonyms={"chance": 0.1, "vectors": WORDS}),
            "ingest.modality": {"name": "text", "vocabulary": "bytes"},
        },
    ),
    Case(
        "synonyms by vectors that are not there",
        "augment",
        "winnow export",
        settings=_view(synonyms={"chance": 0.1, "vectors": WORDS}),
        do=_read,
    ),
    Case(
        "synonyms by a WordNet that is not there",
        "augment",
        "its folder `dict`",
        settings=_view(synonyms={"chance": 0.1, "wordnet": "data/weights/wordnet"}),
        do=_read,
    ),
    Case(
        "versions of texts that are not there",
        "augment",
        "winnow rewrite",
        settings=_view(rewritten={"chance": 0.5, "file": "data/weights/rewritten/infill.parquet"}),
        do=_read,
    ),
    Case("versions of texts that nobody looked at yet", "winnow rewrite infill", "dvc repro augment"),
    Case("versions of pictures", "winnow rewrite infill", "writes texts", do=_looked_at),
    Case("versions of which all words are guessed", "winnow rewrite infill --share 2", "between 0 and 1"),
    Case(
        "a translation by a model that is not there",
        "winnow rewrite back_translation --there gone --back gone",
        "it holds no config.json",
    ),
    Case("a text asked of a model of pictures", "winnow predict --text cat", "cannot be typed", champion=True),
    Case("which words decided about a picture", "winnow predict --why a.jpg", "leave out --why", champion=True),
    Case("nothing asked of a model", "winnow predict", "nothing was asked", champion=True),
    Case(
        "columns of a folder of texts",
        "winnow texts mine --label stars",
        "has no columns",
        do=_a_folder,
    ),
    Case("settings for texts from a folder that is not there", "winnow texts nowhere.csv", "check the path"),
]
