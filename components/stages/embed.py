"""embed: one vector per sample, who is near whom in the training split, and a map that a person can read."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from components.core import seeds
from components.core.config import StageParams
from components.core.errors import WinnowError
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import Store, open_samples
from components.judging.neighbors import neighbor_graph, recall
from components.judging.time_warping import CANDIDATES, EXACT, warped_graph
from components.methods.contracts import Floats, Graph
from components.modalities import Modality, Positions
from components.models.encoder_file import load_encoder
from components.pages.map import draw_map
from components.pages.on_map import on_map
from components.training.inference import embed_all

BLOCK = 256  # records at a time


class Params(StageParams):
    """The `embed` block. neighbors: of each training sample in the graph; by: what makes samples near, their vectors
    or, for data that has an order, what happens in which order (dynamic time warping); batch_size: samples at a time,
    empty: fewer of large ones.
    """

    neighbors: int = Field(default=15, ge=1)
    by: Literal["vectors", "sequences"] = "vectors"
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
    graph = _graph(params, vectors[positions], store, positions, spec.inputs.kind)
    np.save(embeddings, vectors, allow_pickle=False)
    np.savez(neighbors, positions=positions, indices=graph.indices, similarities=graph.similarities)
    shown = on_map(len(positions), params.seed)
    tiles = [spec.inputs.kind.tile(store.record(row)) for row in positions[shown]]
    draw_map(map, tiles, vectors[positions[shown]], seed=params.seed)
    by_vectors = params.by == "vectors"
    return {
        "neighbor_similarity": float(graph.similarities.mean()),
        **({"neighbor_recall": recall(vectors[positions], graph, seed=params.seed)} if by_vectors else {}),
        "samples": float(len(vectors)),
    }


def _graph(params: Params, vectors: Floats, store: Store, positions: Positions, kind: Modality) -> Graph:
    """Raises WinnowError where order is asked for and the kind of data has none."""
    if params.by == "vectors":
        return neighbor_graph(vectors, params.neighbors, seed=params.seed)
    found = [kind.sequences(store[part]) for part in np.array_split(positions, -(-len(positions) // BLOCK))]
    sequences, lengths = zip(*(one for one in found if one is not None), strict=True) if found[0] else ((), ())
    if not sequences:
        raise WinnowError(
            f"embed.by is sequences, and {kind.noun[1]} are compared by their vectors alone: take it out."
        )
    candidates = None
    if len(positions) > EXACT:
        candidates = neighbor_graph(vectors, max(CANDIDATES, params.neighbors), seed=params.seed).indices
    frames = max(one.shape[1] for one in sequences)
    padded = [torch.nn.functional.pad(one, (0, 0, 0, frames - one.shape[1])) for one in sequences]
    return warped_graph(torch.cat(padded), torch.cat(lengths), params.neighbors, candidates)
