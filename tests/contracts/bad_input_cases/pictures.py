"""What lies in the source: folders, archives, pictures, splits."""

from pathlib import Path

from bad_input_cases.case import HOME, MINE, Case, archive, cut, drift, folder, more, save

PICTURES = [
    Case("a source that is not there", "ingest", "did you mean 'digits'", settings={"ingest.source": "digitz"}),
    Case("a folder that is empty", "ingest", "one folder per class", settings=MINE, do=folder()),
    Case(
        "a folder without a readable picture",
        "ingest",
        "the first is",
        settings=MINE,
        do=lambda: (folder()(), Path("data/raw/mine/a.jpg").write_text("<html>")),
    ),
    Case(
        "a file instead of a folder",
        "ingest",
        "name a folder",
        settings={"ingest.source": "a.jpg"},
        do=lambda: save(Path("a.jpg"), 1),
    ),
    Case("a single class folder", "ingest", "at least two", settings=MINE, do=folder("cat/1.jpg", "cat/2.jpg")),
    Case(
        "a folder that is nearly called 'unlabeled'",
        "ingest",
        "ingest.classes",
        settings=MINE,
        do=folder("cat/1.jpg", "dog/2.jpg", "unlabelled/3.jpg"),
    ),
    Case(
        "class folders whose names look alike",
        "ingest",
        "make them one folder",
        settings=MINE,
        do=folder("cat/1.jpg", "cat_/2.jpg", "dog/3.jpg"),
    ),
    Case("a source that holds the project", "ingest", "in which the pictures are", settings={"ingest.source": "data"}),
    Case(
        "folders of two years with the classes inside",
        "ingest",
        "those look like the classes",
        settings=MINE,
        do=folder("2024/cat/1.jpg", "2024/dog/2.jpg", "2025/cat/3.jpg", "2025/dog/4.jpg"),
    ),
    Case(
        "a folder around the class folders",
        "ingest",
        "name that one",
        settings=MINE,
        do=folder("set/cat/1.jpg", "set/dog/2.jpg"),
    ),
    Case(
        "a class that ingest.classes does not name",
        "ingest",
        "add it there",
        settings={**MINE, "ingest.classes": ["cat"]},
        do=folder("cat/1.jpg", "dog/2.jpg"),
    ),
    Case("a test folder without a train folder", "ingest", "no 'train'", settings=MINE, do=folder("test/cat/1.jpg")),
    Case("class folders beside train", "ingest", "also 'cat'", settings=MINE, do=folder("train/a/1.jpg", "cat/1.jpg")),
    Case(
        "an archive with a member that leads outside",
        "ingest",
        "outside its folder",
        settings={"ingest.source": "mine.zip"},
        do=archive("../1.jpg"),
    ),
    Case(
        "an archive with a link in it",
        "ingest",
        "a link",
        settings={"ingest.source": "mine.zip"},
        do=archive("cat/1.jpg", link=True),
    ),
    Case(
        "an archive cut short",
        "ingest",
        "is damaged",
        settings={"ingest.source": "mine.zip"},
        do=lambda: (archive("cat/1.jpg")(), cut("mine.zip")()),
    ),
    Case(
        "a torchvision set that does not exist",
        "ingest",
        "did you mean",
        settings={"ingest.source": "torchvision:FashionMNST", "ingest.test_fraction": ...},
    ),
    Case(
        "a torchvision set whose files are not there",
        "ingest",
        "ingest.download: true",
        settings={"ingest.source": "torchvision:FashionMNIST", "ingest.test_fraction": ...},
    ),
    Case(
        "a class with a single picture",
        "validate",
        "at least 2 training samples",
        do=more("train/eel/1.jpg", "test/eel/2.jpg"),
    ),
    Case(
        "nearly the same picture in train and test",
        "validate",
        "ingest.leaks: drop",
        do=more("test/cat/again.jpg=train/cat/0.jpg", quality=70),
    ),
    Case(
        "more unreadable files than allowed",
        "validate",
        "validate.max_unreadable",
        do=lambda: ([(HOME / f"train/cat/{n}0.jpg").write_text("x") for n in range(9)], more()()),
    ),
    Case("a manifest with a renamed column", "validate", "schema", do=drift),
]
