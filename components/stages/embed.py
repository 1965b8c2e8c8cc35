"""embed: one vector per sample, who is near whom in the training split, and a map that a person can read."""

from pathlib import Path

import numpy as np
from pydantic import Field

from components.core import seeds
from components.core.config import StageParams
from components.core.errors import WinnowError
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import open_samples
from components.judging.neighbors import neighbor_graph, recall
from components.models.encoder_file import load_encoder
from components.pages.map import draw_map
from components.pages.on_map import on_map
from components.training.inference import embed_all


class Params(StageParams):
    """The `embed` block. neighbors: of each training sample in the graph; batch_size: samples at a time, empty:
    fewer of large ones.
    """

    neighbors: int = Field(default=15, ge=1)
    batch_size: int | None = Field(default=None, ge=1)


def run(
    *,
    params: Params,
    manifest: Path,
    samples: Path,
    encoder: Path,
    embeddings: Path,
    neighbors: Path,
    map: Path,
) -> dict[str, float]:
    """Write vectors of all rows, the k-NN graph by cosine, exact up to 100,000 training samples, and the map.

    Returns mean neighbor similarity, and the share of true neighbors that the graph has, of a random sample.

    Raises WinnowError when vectors are not finite, or the split is too small for the neighbors asked for.
    """
    seeds.deterministic(params.threads)
    network, spec = load_encoder(encoder)
    store = open_samples(samples)
    vectors = embed_all(network, spec.inputs.plain, store, batch_size=params.batch_size)
    if not np.isfinite(vectors).all():
        raise WinnowError(f"{encoder} makes vectors that are not finite: run `dvc repro --force pretrain`.")
    positions = positions_of(read_manifest(manifest, ["split"]), "train")
    if len(positions) < 2:
        raise WinnowError("the training split has fewer than 2 samples, so there are no neighbors: add samples.")
    graph = neighbor_graph(vectors[positions], params.neighbors, seed=params.seed)
    np.save(embeddings, vectors, allow_pickle=False)
    np.savez(neighbors, positions=positions, indices=graph.indices, similarities=graph.similarities)
    shown = on_map(len(positions), params.seed)
    tiles = [spec.inputs.kind.tile(store.record(row)) for row in positions[shown]]
    draw_map(map, tiles, vectors[positions[shown]], seed=params.seed)
    return {
        "neighbor_similarity": float(graph.similarities.mean()),
        "neighbor_recall": recall(vectors[positions], graph, seed=params.seed),
        "samples": float(len(vectors)),
    }
