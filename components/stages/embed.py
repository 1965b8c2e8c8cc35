"""embed: one vector per sample, who is near whom in the training split, and a map that a person can read."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from components.core import seeds
from components.core.config import StageParams
from components.core.errors import WinnowError
from components.datasets.manifest import positions_of, read_manifest
from components.datasets.sample_store import open_samples
from components.models.encoder_file import load_encoder
from components.stages.map import draw_map
from components.training.inference import embed_all

ON_MAP = 1200  # more pictures hide each other


class Params(StageParams):
    """The `embed` block. neighbors: of each training sample in the graph; batch_size: pictures at a time."""

    neighbors: int = Field(default=15, ge=1)
    batch_size: int = Field(default=512, ge=1)


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
    """Write vectors of all rows, the exact k-NN graph by cosine, and the map. Returns mean neighbor similarity.

    Raises WinnowError when vectors are not finite, or the split is too small for the neighbors asked for.
    """
    seeds.deterministic(params.threads)
    network, spec = load_encoder(encoder)
    pictures = open_samples(samples)
    vectors = embed_all(network, spec, pictures, batch_size=params.batch_size)
    if not np.isfinite(vectors).all():
        raise WinnowError(f"{encoder} makes vectors that are not finite: run `dvc repro --force pretrain`.")
    positions = positions_of(read_manifest(manifest, ["split"]), "train")
    if len(positions) < 2:
        raise WinnowError("the training split has fewer than 2 samples, so there are no neighbors: add pictures.")
    indices, similarities = nearest(vectors[positions], params.neighbors, threads=params.threads)
    np.save(embeddings, vectors, allow_pickle=False)
    np.savez(neighbors, positions=positions, indices=indices, similarities=similarities)
    shown = np.sort(seeds.numpy_generator(params.seed, "map").permutation(len(positions))[:ON_MAP])
    draw_map(map, pictures[positions[shown]], vectors[positions[shown]], seed=params.seed)
    return {"neighbor_similarity": float(similarities.mean()), "samples": float(len(vectors))}


def nearest(
    vectors: npt.NDArray[np.float32], neighbors: int, *, threads: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Exact: `(M, k)` indices and cosine similarities of the nearest other rows, nearest first; k at most M - 1."""
    import faiss

    faiss.omp_set_num_threads(threads)
    unit = np.ascontiguousarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    k = min(neighbors, len(unit) - 1)
    similarities, indices = index.search(unit, k + 1)
    others = indices != np.arange(len(unit))[:, None]
    others[others.all(axis=1), -1] = False  # among more than k copies, the sample itself need not be found
    shape = (len(unit), k)
    return indices[others].reshape(shape), np.clip(similarities[others].reshape(shape), -1, 1)
