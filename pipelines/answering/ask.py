"""What `winnow lineage` was asked: a version, a sample, or an annotator."""

from components.core.errors import WinnowError
from components.core.model_versions import versions
from pipelines.answering.lineage import of_annotator, of_sample, of_version, told
from pipelines.settings import model_name


def answer(what: str, annotator: str, number: int | None, *, as_json: bool) -> str:
    """The answer as text. Raises WinnowError for none or two questions, and for what nobody knows."""
    if bool(what) == bool(annotator):
        raise WinnowError("ask for one thing: a version, a sample, or --annotator NAME.")
    if number is not None and not annotator:
        raise WinnowError("--round is of an annotator's labels: name one with --annotator.")
    if annotator:
        return told(of_annotator(annotator, number), as_json=as_json)
    if any(what in (str(one.number), *one.aliases) for one in versions(model_name())) or (
        what.isdecimal() and len(what) < 16
    ):
        return told(of_version(what), as_json=as_json)
    return told(of_sample(what), as_json=as_json)
