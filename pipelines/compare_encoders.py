"""`winnow compare encoders`: which encoder to take for your samples, by the labels that are visible already."""

import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.core.config import read_params
from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.files import write_text
from pipelines.compare import LABELS, NEEDED

RESULTS = Path("data/compare/encoders.json")
FOLDS, TIMED, LEAST_BATCH = 5, 64, 32
COLUMNS = {  # heading and width
    "linear": ("linear probe", 24),
    "neighbor": ("nearest neighbor", 24),
    "effective_rank": ("rank", 7),
    "alignment": ("alignment", 9),
    "uniformity": ("uniformity", 10),
    "cpu_milliseconds": ("CPU ms each", 11),
}


def compare_encoders(names: list[str], minutes: float) -> None:
    """Print the table and the verdict, and write both to `data/compare/encoders.json`.

    No label is looked at that was not before, and none of the test split. minutes: CPU time of each continued
    pretraining. Raises WinnowError for names that mean nothing, weights that are not there or do not fit, and where no
    label can be held out.
    """
    from pipelines.encoder_candidates import CONTINUED, FORMS, candidate, check

    if not names:
        raise WinnowError(f"name encoders to compare, with commas between: {FORMS}.")
    if not 0 < minutes < math.inf:
        raise WinnowError(f"--minutes is {minutes:g}: give continued pretraining some CPU time, for example 5.")
    params, wanted = read_params(), list(dict.fromkeys(names))
    wanted += dict.fromkeys(base for name in wanted if (base := name.removeprefix(CONTINUED)) not in wanted)
    candidates = [candidate(name, params) for name in wanted]
    for path in (*NEEDED.values(), LABELS):
        if not path.is_file():
            raise WinnowError(f"{path} is not there: run `dvc repro label` first.")
    prepare(threads=int(params.get("threads", 1)))
    for one in candidates:
        check(one)
    labeled = _labeled(int(params.get("seed", 0)))
    rows, probed = [], {}
    for number, one in enumerate(candidates, start=1):
        long = f", {minutes:g} CPU minutes of pretraining" if one.continued else ""
        print(f"  {one.name} ({number} of {len(candidates)}{long})", file=sys.stderr, flush=True)
        row, found = _tried(one, labeled, minutes)
        rows.append({"encoder": one.name, **row})
        if found is not None:
            probed[one.name] = found
    _conclude(rows, probed, labeled)


@dataclass(frozen=True)
class _Labeled:
    """positions: of the labels in force; known: these, and how they are held out."""

    positions: Any
    known: Any
    seed: int


def _labeled(seed: int) -> _Labeled:
    from components.datasets.folds import assign_folds
    from components.datasets.labels import read_labels
    from components.datasets.manifest import read_manifest, rows_of
    from components.judging.encoder_trial import Known

    labels = read_labels(LABELS).vouched
    listing = read_manifest(NEEDED["manifest"], ["id", "group"])
    positions = rows_of(labels.ids, listing["id"], str(LABELS))
    groups = listing["group"].to_numpy()[positions].tolist()
    folds = assign_folds(labels.distributions.argmax(1), groups, folds=FOLDS, seed=seed)
    if not (folds >= 0).any():
        raise WinnowError(
            f"of the {len(labels.ids)} visible labels none can be held out, so that encoders cannot be compared: it "
            "takes two labels each of at least two classes; raise label.budget, or label some in the ledger."
        )
    return _Labeled(positions, Known(labels.distributions, folds), seed)


def _tried(one: Any, labeled: _Labeled, minutes: float) -> tuple[dict[str, Any], Any]:
    """Its figures and what its probes named right; or `failed`, the sentence that says why, and None."""
    from components.core.seeds import deterministic
    from components.judging.encoder_trial import probe
    from components.training.inference import embed_all
    from components.training.pretraining import watched

    deterministic(one.job.threads)
    corpus = one.job.corpus()
    try:
        encoder, trained = _built(one, corpus, minutes)
        vectors = embed_all(encoder, corpus.views.plain, corpus.samples, labeled.positions)
        some = watched(corpus, one.job.seed).rows[:TIMED]
        began = time.process_time()
        embed_all(encoder, corpus.views.plain, corpus.samples, some)
        cost = 1000 * (time.process_time() - began) / len(some)
        found = probe(vectors, labeled.known)
        figures = {**_health(encoder, corpus, one.job.seed), "cpu_milliseconds": round(cost, 2), **trained}
    except WinnowError as error:
        return {"failed": str(error)}, None
    return {**_shares(found, labeled.seed), **figures}, found


def _built(one: Any, corpus: Any, minutes: float) -> tuple[Any, dict[str, Any]]:
    """The encoder, by itself or after some pretraining, and then how long that was."""
    from components.models.at_once import at_once
    from components.training.pretraining import build_method, encoder_of
    from components.training.trial import run_trial

    if not one.continued:
        return encoder_of(one.job, corpus), {}
    batch = min(one.job.loop.batch_size, max(LEAST_BATCH, at_once(encoder_of(one.job, corpus))), len(corpus.rows))
    loop = one.job.loop.model_copy(update={"batch_size": batch})
    method, trial = run_trial(lambda: build_method(one.job, corpus), corpus, loop, minutes * 60, seed=one.job.seed)
    steps = round(trial.epochs * len(corpus.rows) / batch)
    return method.encoder, {"method": one.job.method.name, "epochs": trial.epochs, "steps": steps}


def _health(encoder: Any, corpus: Any, seed: int) -> dict[str, Any]:
    """Figures that need no labels, and a sentence where the vectors have collapsed."""
    from components.judging.collapse import check
    from components.judging.health import health
    from components.training.pretraining import two_views, watched

    figures = health(*two_views(encoder, watched(corpus, seed), seed))
    try:
        check(figures)
    except WinnowError:
        return {**figures, "collapsed": True}
    return {**figures, "collapsed": False}


def _simple(labeled: _Labeled) -> dict[str, Any]:
    """What takes no encoder, by name: the kind of data's simple features, and the most frequent class."""
    from components.datasets.sample_store import open_samples
    from components.judging.baselines import MAJORITY, described, simple_features
    from components.judging.encoder_trial import most_frequent, probe
    from components.modalities import build_modality

    store = open_samples(NEEDED["samples"])
    features = simple_features(build_modality(store.about.modality), store, labeled.positions)
    found = {described(name): probe(vectors, labeled.known) for name, vectors in features.items()}
    return {**found, MAJORITY: most_frequent(labeled.known)}


def _shares(found: Any, seed: int) -> dict[str, Any]:
    from components.judging.encoder_trial import interval

    figures: dict[str, Any] = {}
    for name, right in (("linear", found.linear), ("neighbor", found.neighbor)):
        value, low, high = interval(right, seed)
        figures |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return figures


def _conclude(rows: list[dict[str, Any]], probed: dict[str, Any], labeled: _Labeled) -> None:
    """Table, verdict and file."""
    from components.judging.encoder_trial import choose, paid
    from pipelines.encoder_candidates import CONTINUED

    simple = _simple(labeled)
    rows.sort(key=lambda row: (row.get("linear", -1.0), row.get("neighbor", -1.0)), reverse=True)
    beside = [{"encoder": name, **_shares(found, labeled.seed)} for name, found in simple.items()]
    timed = {row["encoder"]: row["cpu_milliseconds"] for row in rows if "failed" not in row}
    cost = {name: timed.get(name.removeprefix(CONTINUED), value) for name, value in timed.items()}  # one network
    verdict = choose(probed, cost, simple) if probed else "None of them could be tried."
    went_on = {
        name: paid(found, probed[base])
        for name, found in probed.items()
        if name != (base := name.removeprefix(CONTINUED)) and base in probed
    }
    known, chance = labeled.known, 1 / labeled.known.targets.shape[1]
    facts = {"labels": len(known.folds), "held_out": int(known.held.sum()), "chance": chance}
    kept = {**facts, "encoders": rows, "simple": beside, "verdict": verdict, "continued": went_on}
    write_text(RESULTS, json.dumps(kept, indent=2) + "\n")
    width = max(len(row["encoder"]) for row in [*rows, *beside])
    print("  ".join([f"{'encoder':<{width}}", *(heading.rjust(size) for heading, size in COLUMNS.values())]))
    for row in [*rows, *beside]:
        print(_line(row, width))
    held = f"Of {facts['held_out']} labels held out in turn, with 95 % intervals; chance is {chance:.3f}."
    print(f"{held} The time is this machine's.")
    for name, said in went_on.items():
        print(f"Pretraining on from there {said}: {name}.")
    print(verdict)
    print(f"{RESULTS} keeps the figures; the encoder stands in pretrain.encoder and pretrain.weights.")


def _line(row: dict[str, Any], width: int) -> str:
    name = f"{row['encoder']:<{width}}"
    if "failed" in row:
        return f"{name}  not tried: {row['failed']}"
    cells = []
    for column, (_, size) in COLUMNS.items():
        if column not in row:
            cell = "-"
        elif f"{column}_low" in row:
            cell = f"{row[column]:.3f} ({row[f'{column}_low']:.3f} to {row[f'{column}_high']:.3f})"
        else:
            cell = f"{row[column]:.2f}"
        cells.append(cell.rjust(size))
    return "  ".join([name, *cells]) + ("  collapsed" if row.get("collapsed") else "")
