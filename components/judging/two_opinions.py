"""Two opinions of the same samples as one: each at the temperature that suits it, multiplied (Hinton 2002)."""

import numpy as np

from components.judging.calibration import apply_temperature
from components.methods.contracts import Floats


def two_opinions(one: Floats, other: Floats, temperatures: tuple[float, float]) -> Floats:
    """`(N, K)` products of both `(N, K)` distributions, each first flattened by its temperature; rows sum to 1.

    So each counts by what its temperature, fitted on labels that it never saw, leaves of it: an opinion worth nothing
    becomes uniform and changes nothing. Where they agree the answer is surer than either, where they differ less sure.
    Source: a product of experts, Hinton 2002, https://doi.org/10.1162/089976602760128018, of two, with weights.
    """
    first, second = (apply_temperature(rows, by) for rows, by in zip((one, other), temperatures, strict=True))
    product = np.maximum(first, 1e-12) * np.maximum(second, 1e-12)
    return np.asarray(product / product.sum(1, keepdims=True), np.float32)
