"""`winnow label import`: the answers of a file into the ledger, all or none, and none of them twice."""

import codecs
from pathlib import Path

from components.core.errors import WinnowError
from pipelines.labeling.bringing_in import bring_in
from pipelines.labeling.csv_answers import read_csv_answers
from pipelines.labeling.given import Answers
from pipelines.labeling.label_studio_answers import read_label_studio
from pipelines.labeling.project import open_project

MOST = 128 * 2**20  # bytes of a file, which is held in memory several times


def import_answers(path: Path, *, annotator: str, test: bool) -> str:
    """Bring the answers in, and say in sentences what became of all of them.

    annotator: who gave those that do not say. test: those about test samples alone, where else they are left out.
    Raises WinnowError for a file that cannot be read whole, and where any answer cannot be; then nothing is written.
    """
    project, answers = open_project(), _read(path, annotator)
    return bring_in(project, answers, test=test, whence=str(path), cure="mend the file and import it again")


def _read(path: Path, annotator: str) -> Answers:
    if not path.is_file():
        raise WinnowError(f"{path} is no file: name one that the gallery, a spreadsheet or Label Studio saved.")
    if (size := path.stat().st_size) > MOST:
        raise WinnowError(
            f"{path} has {size / 2**20:,.0f} MiB, and {MOST // 2**20} are read at most: export it in parts, such as "
            "one project or one page of tasks at a time."
        )
    content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if content.lstrip()[:1] in (b"[", b"{"):
        return read_label_studio(path, content)
    return read_csv_answers(path, content, annotator)
