"""audit: which changes of a sample its label does not survive, measured on the labels that one may look at."""

import json
import sys
from pathlib import Path

import numpy as np
from pydantic import Field

from components.core.config import StageParams
from components.core.files import write_text
from components.core.seeds import numpy_generator
from components.datasets.labels import read_labels
from components.datasets.manifest import read_manifest, rows_of
from components.datasets.named_arrays import write_arrays
from components.datasets.sample_store import open_samples
from components.judging.audit import DRAWS, Audit, as_records, audit_augmentations, audited_at_once
from components.modalities.views import Views, read_views
from components.models.encoder_file import load_encoder
from components.models.encoders import Encoder
from components.training.precision import choose_device


class Params(StageParams):
    """audited: labels looked at, at most; with more there are, they are drawn by chance."""

    audited: int = Field(default=120, ge=0)


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    policy: Path,
    encoder: Path,
    labels: Path,
    audit: Path,
    changed: Path,
) -> dict[str, float]:
    """Write the findings as JSON, `{}` where two classes of two labels are missing; it looks at training labels alone.

    changed: a few samples after each change, records per finding, named by its number.
    """
    network, spec = load_encoder(encoder)
    views = read_views(policy).by(spec.inputs.statistics)
    found = _audit(params, manifest, samples, network, labels, views)
    records = as_records(found, views) if found else {}
    write_text(audit, json.dumps(records, indent=2, sort_keys=True) + "\n")
    findings = found.findings if found else []
    write_arrays(changed, {str(number): finding.shown for number, finding in enumerate(findings)})
    return {"labels": float(found.pictures if found else 0), "forbidden": float(len(found.forbidden) if found else 0)}


def _audit(params: Params, manifest: Path, samples: Path, network: Encoder, labels: Path, views: Views) -> Audit | None:
    known = read_labels(labels).vouched
    wanted = min(params.audited, len(known.ids))
    if not wanted:
        return None
    pictures, draws = audited_at_once(network.shape, wanted)
    drawn = np.sort(numpy_generator(params.seed, "audited").permutation(len(known.ids))[:pictures])
    rows = rows_of(known.ids, read_manifest(manifest, ["id"])["id"], str(labels))[drawn]
    classes = known.distributions[drawn].argmax(axis=1)
    if (pictures, draws) != (wanted, DRAWS):
        noun = views.modality.noun[1]
        print(
            f"  audit: these {noun} are large: {pictures} of {wanted} labels are looked at, changed {draws} times "
            f"each, not {DRAWS}.",
            file=sys.stderr,
        )
    return audit_augmentations(
        network.to(choose_device()), open_samples(samples)[rows], classes, views, seed=params.seed
    )
