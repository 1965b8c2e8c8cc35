"""What a person can get wrong, case by case: what was done, where it comes out, and what the answer must say."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from components.core import stage

LEDGER = Path("data/labels/ledger.csv")
COLUMNS = "id,label,annotator,source,round,cost,at,note\n"
HOME = Path("data/raw/pictures")


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Case:
    """command: `settings` (the check before any run), a stage's name, or `winnow ...`; says: a part of the answer that
    names the remedy or the place; settings: dotted names and values put into params.yaml (`...` takes the name out);
    do: what else is done in the project; champion: whether a model serves.
    """

    done: str
    command: str
    says: str
    code: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    do: Callable[[], Any] = _nothing
    champion: bool = False


def picture(number: int) -> Image.Image:
    """A picture of its own for every number, 48x48."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC)


def save(path: Path, number: int, quality: int = 90) -> None:
    """The picture of that number as a JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number).save(path, "JPEG", quality=quality)


def sample(split: str) -> str:
    """The id of a sample of `train` or `test`."""
    table = pq.read_table("data/ingest/manifest.parquet").to_pandas()
    return str(table.loc[table["split"] == split, "id"].iloc[0])


def _write(path: str, content: str | bytes) -> Callable[[], Any]:
    target = Path(path)
    return lambda: target.write_bytes(content.encode() if isinstance(content, str) else content)


def _ledger(row: str) -> Callable[[], Any]:
    return lambda: LEDGER.write_text(COLUMNS + row.format(train=sample("train"), test=sample("test")))


def _replace(path: str, old: str, new: str) -> Callable[[], Any]:
    return lambda: Path(path).write_text(Path(path).read_text().replace(old, new))


def _folder(*names: str) -> Callable[[], Any]:
    """A folder of its own with pictures of these names."""

    def make() -> None:
        Path("data/raw/mine").mkdir()
        for number, name in enumerate(names):
            save(Path("data/raw/mine") / name, number)

    return make


def _zip(name: str, link: bool = False) -> Callable[[], Any]:
    def make() -> None:
        content = io.BytesIO()
        picture(0).save(content, "JPEG")
        with zipfile.ZipFile("mine.zip", "w") as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if link else 0o100644) << 16
            archive.writestr(info, b"/etc/passwd" if link else content.getvalue())

    return make


def _cut(path: str) -> Callable[[], Any]:
    return lambda: Path(path).write_bytes(Path(path).read_bytes()[:-100])


def _drift() -> None:
    path = Path("data/ingest/manifest.parquet")
    table = pq.read_table(path)
    pq.write_table(table.rename_columns([name.replace("width", "breite") for name in table.column_names]), path)


def _more(*names: str, quality: int = 90) -> Callable[[], Any]:
    """Put pictures beside those there are (a name `a=b` is a copy of `b`, encoded anew) and read all again."""

    def make() -> int:
        for number, name in enumerate(names, 500):
            path, _, like = name.partition("=")
            (HOME / path).parent.mkdir(parents=True, exist_ok=True)
            if like:
                Image.open(HOME / like).save(HOME / path, "JPEG", quality=quality)
            else:
                save(HOME / path, number)
        return stage.main("ingest")

    return make


MINE = {"ingest.source": "data/raw/mine"}
SHORT = {"pretrain.workers": 0, "pretrain.epochs": 2}
SETTINGS = [
    Case("an unknown block", "settings", "did you mean 'label'", settings={"lable": {}}),
    Case("an unknown setting in a block", "settings", "did you mean 'budget'", settings={"label.budgett": 40}),
    Case(
        "an unknown option of a method",
        "settings",
        "did you mean 'temperature'",
        settings={"pretrain.method.temprature": 0.5},
    ),
    Case("an unknown option of a view", "settings", "did you mean 'crop'", settings={"augment.policies.view.crpo": 1}),
    Case("text where a number belongs", "settings", "a whole number", settings={"ingest.image_size": "big"}),
    Case("a fraction where a whole number belongs", "settings", "a whole number", settings={"pretrain.epochs": 2.5}),
    Case("a list where a number belongs", "settings", "a number", settings={"pretrain.learning_rate": [0.1]}),
    Case("a number below its range", "settings", "or equal to 2", settings={"pretrain.batch_size": 1}),
    Case("a number above its range", "settings", "less than 1", settings={"ingest.test_fraction": 1.5}),
    Case("not a number (NaN)", "settings", "finite", settings={"pretrain.learning_rate": float("nan")}),
    Case("infinity", "settings", "finite", settings={"finetune.learning_rate": float("inf")}),
    Case("an empty value where one is needed", "settings", "is empty", settings={"ingest.image_size": None}),
    Case("an empty method", "settings", "{name: ...}", settings={"pretrain.method": None}),
    Case("a method without its braces", "settings", "{name: ...}", settings={"pretrain.method": "simclr"}),
    Case("a method without a name", "settings", "pretrain.method.name", settings={"pretrain.method": {"width": 1}}),
    Case("an unknown method", "settings", "did you mean 'simclr'", settings={"pretrain.method.name": "simclrr"}),
    Case(
        "an unknown network of torchvision",
        "settings",
        "did you mean 'mobilenet_v2'",
        settings={"pretrain.encoder": {"name": "torchvision_model", "model": "mobilnet_v2"}},
    ),
    Case("weights that are not there", "settings", "give a file", settings={"pretrain.weights": "gone.safetensors"}),
    Case("neither epochs nor weights", "settings", "set one of them", settings={"pretrain.epochs": 0}),
    Case("an unknown encoder", "settings", "did you mean 'resnet18'", settings={"pretrain.encoder.name": "resnet81"}),
    Case("an unknown query strategy", "settings", "did you mean", settings={"select.strategy.name": "margins"}),
    Case("an unknown first query", "settings", "did you mean 'k_medoids'", settings={"label.first": "kmedoids"}),
    Case("a first query that needs a model", "settings", "k_medoids", settings={"label.first": "margin"}),
    Case(
        "an encoder that does not fit the pictures",
        "settings",
        "choose a patch",
        settings={"pretrain.encoder": {"name": "vit_small", "patch": 7}},
    ),
    Case("a value that is none of the choices", "settings", "'auto'", settings={"pretrain.precision": "float16"}),
    Case("a crop upside down", "settings", "smaller one first", settings={"augment.policies.view.crop": [1.0, 0.2]}),
    Case("a view that methods need left out", "settings", "is missing", settings={"augment.policies.weak": ...}),
    Case("more workers than processors", "settings", "pretrain.ray_address", settings={"pretrain.workers": 1000}),
    Case("no threads", "settings", "or equal to 1", settings={"threads": 0}),
    Case("a name that MLflow does not take", "settings", "register.name", settings={"register.name": "my model!"}),
    Case("a gate on another figure", "settings", "'accuracy'", settings={"register.gate.metric": "f1"}),
    Case("a number where a block belongs", "settings", "must be a block", settings={"embed": 3}),
    Case("YAML that does not parse", "settings", "line 3", do=_write("params.yaml", "seed: 0\nlabel: {budget: 40\n")),
    Case("a YAML alias", "settings", "write the value out", do=_write("params.yaml", "label: &x {}\nselect: *x\n")),
    Case("the same key twice", "settings", "second time", do=_write("params.yaml", "seed: 0\nseed: 1\n")),
    Case("a list instead of settings", "settings", "key: value", do=_write("params.yaml", "- seed\n")),
    Case("settings that are not UTF-8", "settings", "save it as UTF-8", do=_write("params.yaml", b"seed: 0 # \xe9\n")),
    Case("params.yaml missing", "settings", "run this from", do=lambda: Path("params.yaml").unlink()),
    Case("dvc.yaml missing", "settings", "run this from", do=lambda: Path("dvc.yaml").unlink()),
    Case(
        "dvc.yaml broken by a merge", "settings", "restore the file", do=_write("dvc.yaml", "<<<<<<< HEAD\nstages:\n")
    ),
    Case("dvc.yaml without stages", "settings", "restore the file", do=_write("dvc.yaml", "vars: []\n")),
]
DATA = [
    Case("a source that is not there", "ingest", "did you mean 'digits'", settings={"ingest.source": "digitz"}),
    Case("a folder that is empty", "ingest", "one folder per class", settings=MINE, do=_folder()),
    Case(
        "a folder without a readable picture",
        "ingest",
        "the first is",
        settings=MINE,
        do=lambda: (_folder()(), Path("data/raw/mine/a.jpg").write_text("<html>")),
    ),
    Case(
        "a file instead of a folder",
        "ingest",
        "name a folder",
        settings={"ingest.source": "a.jpg"},
        do=lambda: save(Path("a.jpg"), 1),
    ),
    Case("a single class folder", "ingest", "at least two", settings=MINE, do=_folder("cat/1.jpg", "cat/2.jpg")),
    Case("a test folder without a train folder", "ingest", "no 'train'", settings=MINE, do=_folder("test/cat/1.jpg")),
    Case("class folders beside train", "ingest", "also 'cat'", settings=MINE, do=_folder("train/a/1.jpg", "cat/1.jpg")),
    Case(
        "an archive with a member that leads outside",
        "ingest",
        "outside its folder",
        settings={"ingest.source": "mine.zip"},
        do=_zip("../1.jpg"),
    ),
    Case(
        "an archive with a link in it",
        "ingest",
        "a link",
        settings={"ingest.source": "mine.zip"},
        do=_zip("cat/1.jpg", link=True),
    ),
    Case(
        "an archive cut short",
        "ingest",
        "is damaged",
        settings={"ingest.source": "mine.zip"},
        do=lambda: (_zip("cat/1.jpg")(), _cut("mine.zip")()),
    ),
    Case(
        "a torchvision set that does not exist",
        "ingest",
        "did you mean",
        settings={"ingest.source": "torchvision:FashionMNST"},
    ),
    Case(
        "a torchvision set whose files are not there",
        "ingest",
        "ingest.download: true",
        settings={"ingest.source": "torchvision:FashionMNIST"},
    ),
    Case(
        "a class with a single picture",
        "validate",
        "at least 2 training pictures",
        do=_more("train/eel/1.jpg", "test/eel/2.jpg"),
    ),
    Case(
        "nearly the same picture in train and test",
        "validate",
        "ingest.leaks: drop",
        do=_more("test/cat/again.jpg=train/cat/0.jpg", quality=70),
    ),
    Case(
        "more unreadable files than allowed",
        "validate",
        "validate.max_unreadable",
        do=lambda: ([(HOME / f"train/cat/{n}.txt").write_text("x") for n in range(9)], _more()()),
    ),
    Case("a manifest with a renamed column", "validate", "schema", do=_drift),
    Case("a budget above the labels there are", "label", "lower it", settings={"label.budget": 5000}),
    Case("a budget below the number of classes", "label", "raise label.budget", 0, settings={"label.budget": 2}),
    Case("a budget of one label", "label", "raise label.budget", settings={"label.budget": 1}),
    Case("a label for a sample that is not there", "label", "line 2", do=_ledger("feed,cat,me,person,,,,\n")),
    Case("a label for a made picture that is gone", "label", "git", do=_ledger("synthetic-0,cat,me,person,,,,\n")),
    Case("a label of an unknown class", "label", "did you mean 'cat'", do=_ledger("{train},cats,me,person,,,,\n")),
    Case("a label for a test sample", "label", "evaluate", 0, do=_ledger("{test},cat,me,person,,,,\n")),
    Case("a label from an unknown source", "label", "did you mean", do=_ledger("{train},cat,me,persn,,,,\n")),
    Case("a ledger without a column", "label", "line 1", do=_write(str(LEDGER), "id,label\n")),
    Case("a ledger cut in half", "label", "line 2", do=_ledger("{train},cat,m")),
    Case("a ledger with an open quote", "label", "not valid CSV", do=_ledger('{train},"cat,me,person\n')),
    Case("a ledger that is not UTF-8", "label", "UTF-8", do=_write(str(LEDGER), COLUMNS.encode() + b"\xe9,a,b\n")),
    Case("a ledger that is a spreadsheet", "label", "UTF-8", do=_write(str(LEDGER), b"PK\x03\x04\xff\xfe" * 9)),
    Case("a ledger that is missing", "label", "restore", do=lambda: LEDGER.unlink()),
    Case("a stage that does not exist", "lable", "choose from"),
    Case("a stage before what it needs", "pseudo_label", "dvc repro pseudo_label"),
    Case("vectors cut short", "label", "dvc repro", do=_cut("data/embed/embeddings.npy")),
    Case("a picture store cut short", "augment", "dvc repro", do=_cut("data/ingest/samples.npy")),
    Case(
        "a batch larger than the pool",
        "pretrain",
        "lower pretrain.batch_size",
        0,
        settings=SHORT,
        do=lambda: stage.main("augment"),
    ),
    Case(
        "a learning rate of a million",
        "pretrain",
        "lower pretrain.learning_rate",
        settings={**SHORT, "pretrain.learning_rate": 1e6, "pretrain.batch_size": 8},
        do=lambda: stage.main("augment"),
    ),
    Case("an output that cannot be written", "label", "data/label", do=lambda: Path("data/label").write_text("")),
]
COMMANDS = [
    Case("the summary before the first run", "winnow summary", "winnow repro"),
    Case("a run from a stage that does not exist", "winnow repro --from lable", "did you mean 'label'"),
    Case(
        "a command in another folder", "winnow promote 1", "project's folder", do=lambda: Path("params.yaml").unlink()
    ),
    Case("a command that does not exist", "winnow reproduce", "No such command", 2),
    Case("promoting what is no number", "winnow promote best", "is a number"),
    Case("promoting an unknown version", "winnow promote 7", "winnow repro"),
    Case("rolling back without a champion before", "winnow rollback", "winnow promote"),
    Case("pictures by a method that makes none", "winnow synthesize --generator simclr", "choose from gan, vae"),
    Case("made pictures before there is a model", "winnow synthesize", "winnow repro"),
    Case("a prediction before there is a model", "winnow predict cat.jpg", "winnow repro"),
    Case("a prediction for a file that is not there", "winnow predict gone.jpg", "gone.jpg", champion=True),
    Case(
        "a prediction for what is no picture",
        "winnow predict page.jpg",
        "JPEG, PNG",
        do=_write("page.jpg", "<html>"),
        champion=True,
    ),
]
CASES = SETTINGS + DATA + COMMANDS
