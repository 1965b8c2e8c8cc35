"""Where vectors lie on a plane, like beside like."""

import numpy as np
import numpy.typing as npt

MARGIN = 0.03  # of the side


def plane(vectors: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float64]:
    """`(M, 2)` in [0, 1]: t-SNE of the vectors by cosine; too few for it are laid out in a row."""
    count = len(vectors)
    if count < 5:
        return np.column_stack([np.linspace(0, 1, count), np.full(count, 0.5)])
    from sklearn.manifold import TSNE

    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    perplexity = min(30, (count - 1) / 3)
    points = TSNE(init="pca", perplexity=perplexity, max_iter=500, random_state=seed, n_jobs=1).fit_transform(unit)
    low, high = np.percentile(points, (0.5, 99.5), axis=0)
    return np.asarray(
        np.clip(MARGIN + (1 - 2 * MARGIN) * (points - low) / np.maximum(high - low, 1e-9), 0, 1), dtype=np.float64
    )
