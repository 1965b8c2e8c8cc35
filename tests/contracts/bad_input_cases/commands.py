"""Commands."""

from pathlib import Path

from bad_input_cases.case import Case, write

COMMANDS = [
    Case("the summary before the first run", "winnow summary", "winnow repro"),
    Case("pictures that are not there", "winnow repro --source gone", "check the path"),
    Case("a folder that holds the project", "winnow repro --source ..", "name the folder in which the pictures are"),
    Case("a size that cannot be", "winnow repro --image-size 3", "ingest.modality.image_size is 3"),
    Case("a budget that is no number", "winnow repro --budget lots", "must be a whole number", 2),
    Case("a port that there is not", "winnow serve --port 99999", "less than or equal to 65535", 2),
    Case("a run from a stage that does not exist", "winnow repro --from lable", "did you mean 'label'"),
    Case(
        "a command in another folder", "winnow promote 1", "project's folder", do=lambda: Path("params.yaml").unlink()
    ),
    Case("a command that does not exist", "winnow reproduce", "No such command", 2),
    Case("promoting what is no number", "winnow promote best", "is a number"),
    Case("promoting an unknown version", "winnow promote 7", "winnow repro"),
    Case("rolling back without a champion before", "winnow rollback", "winnow promote"),
    Case("approving without a name", "winnow approve 1", "Missing option '--as'", 2),
    Case("approving an unknown version", "winnow approve 7 --as Ada", "winnow repro"),
    Case("evidence by one digit", "winnow approve 1 --as Ada --evidence a", "8 digits of it at least"),
    Case("a difference of unknown versions", "winnow diff 1 2", "winnow repro"),
    Case(
        "a map of all samples before there are vectors",
        "winnow explore",
        "dvc repro embed",
        do=lambda: Path("data/embed/embeddings.npy").unlink(),
    ),
    Case("a map of all samples that no browser opens", "winnow explore --out map.txt", "does not end in .html"),
    Case("a lineage of nothing", "winnow lineage", "a version, a sample, or --annotator NAME"),
    Case("a round of nobody", "winnow lineage 1 --round 2", "name one with --annotator"),
    Case("a lineage of what is not known", "winnow lineage gone.jpg", "no version has a sample of that id or path"),
    Case("a lineage of labels that nobody gave", "winnow lineage --annotator ada", "learned from nobody in the ledger"),
    Case("events of no version", "winnow lineage --openlineage events.jsonl", "name one, such as champion"),
    Case("a data set described without its license", "winnow export out --format croissant", "demands an address"),
    Case("a rebuild of an unknown version", "winnow rebuild 3", "winnow repro"),
    Case("a plan for more than everything", "winnow plan --target 95", "between 0 and 1"),
    Case("a plan before there are labels", "winnow plan --target 0.9", "winnow repro"),
    Case("a plan with labels that take no time", "winnow plan --target 0.9 --seconds 0", "above 0"),
    Case("an encoder that there is not", "winnow compare encoders projct", "did you mean 'project'"),
    Case("weights that were not added", "winnow compare encoders timm:resnet10t", "winnow weights add timm:resnet10t"),
    Case("no time for continued pretraining", "winnow compare encoders project --minutes 0", "some CPU time"),
    Case("pictures by a method that makes none", "winnow synthesize --generator simclr", "choose from gan, vae"),
    Case("made pictures before there is a model", "winnow synthesize", "winnow repro"),
    Case("a prediction before there is a model", "winnow predict cat.jpg", "winnow repro"),
    Case("a prediction for a file that is not there", "winnow predict gone.jpg", "gone.jpg", champion=True),
    Case(
        "a prediction for what is no picture",
        "winnow predict page.jpg",
        "JPEG, PNG",
        do=write("page.jpg", "<html>"),
        champion=True,
    ),
]
