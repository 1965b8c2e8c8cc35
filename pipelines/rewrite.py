"""`winnow rewrite`: other versions of the training texts, made once into a table that views draw from."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.core.config import read_params
from components.core.environment import prepare
from components.core.errors import WinnowError
from components.core.files import replacing
from pipelines.compare import NEEDED

if TYPE_CHECKING:
    from components.methods.self_supervised.masked_lm import MaskedLM
    from components.modalities.views import Views
    from components.training.corpus import Corpus

RESULTS = Path("data/weights/rewritten")
SHOWN, WIDE = 2, 160  # texts that are printed, and characters of each
LONGEST = 256  # pieces of a text that are translated
PART = 256  # texts that are translated before progress is said


@dataclass(frozen=True)
class Ways:
    """Of a translation: folder of the model, and what it wants written before each text."""

    folder: Path
    prefix: str = ""


def infill(encoder: Path, *, epochs: int, share: float, versions: int) -> None:
    """Let a masked language model guess words anew, `share` of each text's.

    encoder: of a run with method masked_lm, whose file holds no guesses of words: these are learned here, in `epochs`
    over the training texts, the encoder going on with them. Raises WinnowError where it cannot be done.
    """
    if epochs < 1 or versions < 1 or not 0 < share < 1:
        raise WinnowError("--epochs and --versions must be above 0, and --share between 0 and 1.")
    corpus, params = _corpus()
    from components.training.infill import infill as filled

    model, views = _language_model(encoder, epochs, corpus, params)
    seed = int(params.get("seed", 0))
    made = filled(model, views, corpus.samples, corpus.rows, share=share, versions=versions, seed=seed)
    kind = views.modality
    _keep("infill", corpus, ([kind.to_file(one).decode() for one in several] for several in made))


def back_translation(there: Ways, back: Ways, *, versions: int, among: int) -> None:
    """Translate each text and back again, each piece drawn of the `among` likeliest (Edunov et al. 2018,
    https://arxiv.org/abs/1808.09381, section 3). Raises WinnowError where it cannot be done.
    """
    if versions < 1 or among < 1:
        raise WinnowError("--versions and --among must be above 0: for example --versions 2 --among 10.")
    from components.models.translator import load_translator

    models = [load_translator(way.folder, way.prefix) for way in (there, back)]
    corpus, params = _corpus()
    from components.core.progress import bar
    from components.core.seeds import derive, uniform

    kind, seed = corpus.views.modality, int(params.get("seed", 0))

    def version(number: int) -> list[str]:
        found: list[str] = []
        parts = np.array_split(corpus.rows, math.ceil(len(corpus.rows) / PART))
        for keys in bar(parts, total=len(parts), label=f"version {number + 1}", unit=" parts"):
            said = [kind.to_file(record).decode() for record in corpus.samples[keys]]
            for way, model in enumerate(models):
                said = model(said, uniform(derive(seed, "translation", number, way), keys, LONGEST), among)
            found += said
        return found

    _keep("back_translation", corpus, map(version, range(versions)))


def _corpus() -> tuple["Corpus", dict[str, Any]]:
    for path in NEEDED.values():
        if not path.is_file():
            raise WinnowError(f"{path} is not there: run `dvc repro augment` first.")
    params = read_params()
    prepare(threads=int(params.get("threads", 1)))
    from components.core import seeds
    from components.training.corpus import open_corpus

    seeds.deterministic(int(params.get("threads", 1)))
    corpus = open_corpus(**NEEDED)
    if not corpus.views.modality.typed:
        raise WinnowError(
            f"`winnow rewrite` writes texts, and this project has {corpus.views.modality.noun[1]}: their own policies "
            "are in augment.policies."
        )
    return corpus, params


def _language_model(path: Path, epochs: int, corpus: "Corpus", params: dict[str, Any]) -> tuple["MaskedLM", "Views"]:
    """The encoder with guesses learned, and how its texts are cut."""
    from components.core.config import PluginChoice
    from components.core.plugins import build
    from components.core.stage_settings import stage_settings
    from components.modalities.views import Views
    from components.models.encoder_file import load_encoder
    from components.training.corpus import Corpus
    from components.training.loop import LoopConfig, train
    from components.training.precision import choose_device

    encoder, spec = load_encoder(path)
    kind = spec.inputs.kind
    model: MaskedLM = build(
        "self_supervised", PluginChoice(name="masked_lm"), encoder, where="winnow rewrite --from", kind=kind.gives
    )
    views = Views(kind, spec.inputs.statistics, {"weak": kind.Policy()})
    given = stage_settings("pretrain", params)
    loop = LoopConfig(epochs=epochs, batch_size=given.batch_size, learning_rate=given.learning_rate, clip=1.0)
    print(f"  {epochs} epochs of masked_lm over {len(corpus.rows):,} texts", file=sys.stderr, flush=True)
    rows = train(model, Corpus(corpus.samples, corpus.rows, views), loop, seed=given.seed, device=choose_device())
    print(f"  of hidden words it names {rows[-1]['masked_accuracy']:.1%}", file=sys.stderr, flush=True)
    return model, views


def _keep(name: str, corpus: "Corpus", versions: Iterator[Sequence[str]]) -> None:
    """Write the table, and say what is in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from components.datasets.manifest import read_manifest

    identities = read_manifest(NEEDED["manifest"], ["id"])["id"].iloc[corpus.rows].tolist()
    made = list(versions)
    several = [(one, text) for row, one in enumerate(identities) for text in dict.fromkeys(part[row] for part in made)]
    path = RESULTS / f"{name}.parquet"
    with replacing(path) as aside:
        pq.write_table(pa.table({"id": [one for one, _ in several], "text": [text for _, text in several]}), aside)
    for row, record in enumerate(corpus.samples[corpus.rows[:SHOWN]]):
        print(f"  {corpus.views.modality.to_file(record).decode()[:WIDE]}\n    -> {made[0][row][:WIDE]}")
    print(f"{path} holds {len(several):,} versions of {len(identities):,} texts; they are seen where a policy says")
    print(f"    rewritten: {{chance: 0.5, file: {path}}}")
