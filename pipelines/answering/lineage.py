"""`winnow lineage`: where a version came from, and which versions learned from a sample or from an annotator."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.core import tracking
from components.core.dag import read_stages
from components.core.decisions import decisions, unreadable
from components.core.errors import WinnowError
from components.core.files import sha256
from components.core.model_versions import Version, find, versions
from components.core.people import listed
from components.core.run_source import RunSource, run_source
from components.core.store_calls import deleted
from components.core.terminal import short
from components.release.approval import AUTHORS
from components.release.provenance import GIVEN
from pipelines.answering.learned import LEDGER, Learned, learned
from pipelines.answering.lineage_page import write_page
from pipelines.plan import order
from pipelines.settings import model_name

RUN = re.compile("[0-9a-f]{32}")
TELLING = ("torch", "numpy", "scikit-learn", "pandas", "pillow", "mlflow", "dvc")  # packages named in the text
Facts = dict[str, Any]


def of_version(wanted: str) -> Facts:
    """All that is known of how the version came to be. Raises WinnowError where there is none, or its run is gone."""
    version = find(model_name(), wanted)
    where = f"version {version.number} of {version.name}"
    source = run_source(version.run_id, where)
    seen = learned(version, source)
    return {
        "name": version.name,
        "version": version.number,
        "aliases": list(version.aliases),
        "registered": _moment(version.created),
        "model_sha256": version.sha256,
        "made_by": listed(version.tags.get(AUTHORS, "[]")),
        "run_id": version.run_id,
        "git_commit": source.commit,
        "git_dirty": source.tags.get("git_dirty") == "true",
        "dvc_lock": source.tags.get("dvc_lock", ""),
        "dataset_digest": version.tags.get("dataset_digest", ""),
        "given": {name: digest for name in GIVEN if (digest := source.given(Path(name)))},
        "labels": seen.sources(),
        "annotators": seen.annotators(),
        "pseudo_labels": len(seen.pseudo),
        "lost": [*seen.lost, *filter(None, [unreadable(version)])],
        "stages": list(_stages(version, source)),
        "environment": source.environment,
        "decisions": [one.said for one in decisions(version.tags)],
    }


def of_sample(wanted: str) -> list[Facts]:
    """Each version that the sample, by id or path, is in, with how it knows it; the newest first."""
    found, known = [], False
    for version, seen in _every():
        sample = _id(wanted, seen)
        if sample and (how := seen.how(sample)):
            known = True
            found.append(_named(version, sample=sample, how=how))
    if not known:
        raise WinnowError(
            f"'{short(wanted)}' is no version of {model_name()}, and no version has a sample of that id or path."
        )
    return found


def of_annotator(name: str, number: int | None) -> list[Facts]:
    """Each version that learned from labels in force of that annotator, with how many; the newest first."""
    every = list(_every())
    counts = [(version, seen.of_annotator(name, number)) for version, seen in every]
    if not any(count for _, count in counts):
        others = sorted({one for _, seen in every for one in seen.annotators()})
        there = f"they learned from {', '.join(others)}" if others else "they learned from nobody in the ledger"
        raise WinnowError(f"no version learned from labels of '{short(name)}'{_round(number)}: {there}.")
    return [_named(version, annotator=name, labels=count) for version, count in counts if count]


def told(facts: Facts | list[Facts], *, as_json: bool) -> str:
    """As JSON, or as lines for people, a version's as a page too, whose place the last line tells."""
    if as_json:
        return json.dumps(facts, indent=2, ensure_ascii=False)
    if isinstance(facts, list):
        return "\n".join(_line(one) for one in facts)
    return "\n".join([*_lines(facts), f"page      {write_page(facts, _rows(facts))}"])


def _every() -> Iterator[tuple[Version, Learned]]:
    """Every version whose run still tells what it learned from."""
    for version in versions(model_name()):
        try:
            source = run_source(version.run_id, f"version {version.number} of {version.name}")
        except WinnowError:
            continue
        yield version, learned(version, source)


def _id(wanted: str, seen: Learned) -> str:
    if seen.manifest is None:
        return wanted if wanted in seen.labels else ""
    same = seen.manifest["id"].eq(wanted) | seen.manifest["path"].eq(wanted)
    if not same.any() and Path(wanted).is_file():
        same = seen.manifest["sha256"].eq(sha256(Path(wanted)))
    mine = seen.manifest[same]
    return str(mine["id"].iloc[0]) if len(mine) else ""


def _stages(version: Version, source: RunSource) -> Iterator[Facts]:
    """The MLflow run of each stage: in the version's pipeline run, or the one whose outputs were there already."""
    store = tracking.opened()
    for name, sources in made_from(source).items():
        linked = source.tags.get(f"stage.{name}", "")
        if not RUN.fullmatch(linked):
            yield {"stage": name, "how": short(linked) or "not known", "run_id": "", "made_from": sources}
            continue
        with tracking.answering():
            if deleted(store, linked):
                yield {"stage": name, "how": "its run was deleted", "run_id": linked, "made_from": sources}
                continue
            run = store.get_run(linked)
        tags = run.data.tags
        own = tags.get("mlflow.parentRunId") == source.run_id
        yield {
            "stage": name,
            "how": "ran" if own else "reused",
            "run_id": linked,
            "pipeline_run": tags.get("mlflow.parentRunId", ""),
            "started": _moment(run.info.start_time),
            "began": _exact(run.info.start_time),
            "ended": _exact(run.info.end_time) if run.info.end_time else "",
            "git_commit": tags.get("git_commit", ""),
            "made_from": sources,
        }


def made_from(source: RunSource) -> dict[str, list[str]]:
    """Of each stage, in order: the stages and given inputs that it read, by the version's `dvc.lock`; of stages that
    ran after that was kept, by `dvc.yaml`."""
    stages = read_stages()
    reads = {name: [path.as_posix() for path in spec.dependencies] for name, spec in stages.items()}
    makers = {path.as_posix(): name for name, spec in stages.items() for path in spec.outputs}
    for name, block in source.lock.items():
        reads[name] = [str(entry.get("path", "")) for entry in block.get("deps", [])]
        makers |= {str(entry.get("path", "")): name for entry in block.get("outs", [])}
    found = {}
    for name in [*order(stages), *(one for one in source.lock if one not in stages)]:
        sources = [makers.get(path, path if path in GIVEN else "") for path in reads[name]]
        found[name] = [one for one in dict.fromkeys(sources) if one not in ("", name)]
    return found


def _lines(facts: Facts) -> Iterator[str]:
    aliases = f" ({', '.join(facts['aliases'])})" if facts["aliases"] else ""
    yield f"{facts['name']} version {facts['version']}{aliases}, registered {facts['registered']}"
    rows = _rows(facts)
    width = max(len(name) for name, _ in rows) + 2
    yield from (f"  {name:<{width}}{text}" for name, text in rows)
    yield "stages"
    for one in facts["stages"]:
        where = f" in pipeline run {one['pipeline_run'][:8]}" if one["how"] == "reused" and one["pipeline_run"] else ""
        run = f"run {one['run_id']}, {one['started']}" if "started" in one else one["run_id"]
        yield f"  {one['stage']:<14}{one['how']:<8}{run}{where}".rstrip()
    yield "decisions"
    yield from (f"  {said}" for said in facts["decisions"] or ["none"])


def _rows(facts: Facts) -> list[tuple[str, str]]:
    changed = ", with files changed since" if facts["git_dirty"] else ""
    return [
        ("model", f"sha256 {facts['model_sha256']}"),
        ("made by", ", ".join(facts["made_by"]) or "not known"),
        ("pipeline run", facts["run_id"]),
        ("code", f"commit {facts['git_commit']}{changed}" if facts["git_commit"] else "no repository"),
        ("graph", f"dvc.lock sha256 {facts['dvc_lock']}"),
        ("data set", f"manifest sha256 {facts['dataset_digest']}"),
        *((name, f"md5 {digest}") for name, digest in facts["given"].items()),
        ("labels", _counts(facts["labels"])),
        *((f"  by {name}", f"{count} rows of {LEDGER}") for name, count in facts["annotators"].items()),
        ("pseudo-labels", str(facts["pseudo_labels"])),
        *(("not known", sentence) for sentence in facts["lost"]),
        ("environment", _environment(facts["environment"])),
    ]


def _line(one: Facts) -> str:
    aliases = f" ({', '.join(one['aliases'])})" if one["aliases"] else ""
    what = one["how"] if "how" in one else f"{one['labels']} labels of {one['annotator']}"
    return f"version {one['version']}{aliases}: {what}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "not known"


def _environment(environment: Facts) -> str:
    if not environment:
        return "not kept"
    packages = environment["packages"]
    named = ", ".join(f"{name} {packages[name]}" for name in TELLING if name in packages)
    return f"Python {environment['python']}, {named}; {len(packages)} packages; {environment['processor']}"


def _named(version: Version, **facts: Any) -> Facts:
    return {"version": version.number, "aliases": list(version.aliases), **facts}


def _round(number: int | None) -> str:
    return "" if number is None else f" in round {number}"


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _exact(milliseconds: int) -> str:
    """ISO 8601."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
