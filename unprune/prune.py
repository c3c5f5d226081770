"""Prune by magnitude, quantise, and say how small the result could be.

What every encoder is given is ``Quantised.levels``: one integer a weight, 0 where pruned. A survivor may also round to level 0. A format
that carries its own mask (Viterbi) then stores a 0 for it; a format that finds survivors by their value (CSR, RLC) takes it for pruned.
Both decode to the same matrix. ``Quantised.lost`` counts such survivors.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.params.base import check, check_range

Matrix = NDArray[Any]
Mask = NDArray[np.bool_]

MAX_LEVEL_BITS = 16


@dataclass(frozen=True)
class Quantised:
    """A matrix as integers: ``levels * scale`` is the weight.

    Attributes:
        levels: The matrix's shape, int8 or int16, between -(2**(bits - 1) - 1) and 2**(bits - 1) - 1.
        scale: The weight of one level, more than 0.
        bits: Width of a level in two's complement.
        lost: Survivors that were not 0 and rounded to level 0.
    """

    levels: NDArray[Any]
    scale: float
    bits: int
    lost: int

    @property
    def weights(self) -> NDArray[np.float32]:
        """The weights that the levels stand for, float32."""
        return weights_of(self.levels, self.scale)


@dataclass(frozen=True)
class EntropyFloor:
    """What no code that treats every weight alike can beat, on average.

    Attributes:
        mask_bits_per_weight: H(density), the entropy of a mask bit; 0 to 1.
        value_bits_per_survivor: Entropy of the survivors' levels as they are distributed in this matrix.
        bits_per_weight: Mask and values together.
    """

    mask_bits_per_weight: float
    value_bits_per_survivor: float
    bits_per_weight: float


def magnitude_mask(weights: Matrix, density: float, name: str = "weights") -> Mask:
    """True for the largest weights: exactly ``round(density * weights.size)`` (a half rounds to even), whatever the values.

    Of equal magnitudes the earlier in row-major order survives, so a constant or an all-zero matrix keeps its first elements.

    Args:
        weights: Any shape; floats or integers.
        density: Share that survives, 0 to 1.
        name: Of the layer, for error messages.

    Raises:
        ValueError: A weight is NaN or infinite, or *density* is not between 0 and 1.
        TypeError: *weights* are not floats or integers.
    """
    check(0 <= density <= 1, "density", "between 0 and 1", density)
    magnitudes = np.abs(finite(weights, name)).ravel()
    count = round(density * magnitudes.size)
    mask = np.zeros(magnitudes.size, bool)
    if count:
        smallest = np.partition(magnitudes, -count)[-count]
        mask[magnitudes > smallest] = True
        (equal,) = np.nonzero(magnitudes == smallest)
        mask[equal[: count - int(mask.sum())]] = True
    return mask.reshape(weights.shape)


def quantise(weights: Matrix, bits: int, mask: Mask | None = None, name: str = "weights") -> Quantised:
    """Round *weights*, those outside *mask* taken as 0, to signed levels of *bits* bits with one scale for the matrix and no offset.

    The largest magnitude gets the largest level, L = 2**(bits - 1) - 1: scale = largest / L, level = weight / scale rounded half to even.
    If all are 0 the scale is 1.

    Args:
        weights: Any shape; floats or integers.
        bits: 2 to 16.
        mask: The shape of *weights*, True where a weight survives; none: all do.
        name: Of the layer, for error messages.

    Raises:
        ValueError: A weight is NaN or infinite, *bits* is out of range, or *mask* has another shape.
        TypeError: *weights* are not floats or integers, or *bits* is not an integer.
    """
    check_range("bits", bits, 2, MAX_LEVEL_BITS)
    survivors = _masked(finite(weights, name), mask, name)
    limit = 2 ** (bits - 1) - 1
    scale = float(np.max(np.abs(survivors), initial=0)) / limit or 1.0
    levels = np.clip(np.rint(survivors / scale), -limit, limit).astype(np.int8 if bits <= 8 else np.int16)
    return Quantised(levels, scale, bits, int(np.count_nonzero(survivors) - np.count_nonzero(levels)))


def weights_of(levels: NDArray[Any], scale: float) -> NDArray[np.float32]:
    """``levels * scale`` in float32: what a decoder's output stands for."""
    return (np.asarray(levels, np.float64) * scale).astype(np.float32)


def kept_magnitude(weights: Matrix, mask: Mask, name: str = "weights") -> float:
    """Sum of \\|weight\\| that *mask* keeps, over the sum that the best mask with as many survivors keeps; 0 to 1, and 1 if that best is 0.

    *weights* are those before pruning: after it every mask that holds the survivors keeps all.

    Raises:
        ValueError: A weight is NaN or infinite, or *mask* has another shape.
        TypeError: *weights* are not floats or integers.
    """
    magnitudes = np.abs(finite(weights, name))
    kept = float(_masked(magnitudes, mask, name).sum())
    count = int(np.count_nonzero(mask))
    best = float(np.partition(magnitudes.ravel(), -count)[-count:].sum()) if count else 0.0
    return min(kept / best, 1.0) if best else 1.0  # the two sums run in different orders


def entropy_floor(mask: Mask, levels: NDArray[Any]) -> EntropyFloor:
    """The floors of a matrix with survivors *mask* and values *levels*; all 0 for a matrix without survivors.

    Raises:
        ValueError: The shapes differ.
    """
    check(mask.shape == levels.shape, "mask", f"of shape {levels.shape}", mask.shape)
    values = levels[mask]
    _, counts = np.unique(values, return_counts=True)
    density = values.size / mask.size if mask.size else 0.0
    mask_bits = _entropy([density, 1 - density])
    value_bits = _entropy([int(count) / values.size for count in counts])
    return EntropyFloor(mask_bits, value_bits, mask_bits + density * value_bits)


def _entropy(shares: list[float]) -> float:
    """In bits, of *shares* that sum to 1."""
    return sum(share * math.log2(1 / share) for share in shares if share)


def _masked(weights: Matrix, mask: Mask | None, name: str) -> Matrix:
    """*weights* with 0 outside *mask*."""
    if mask is None:
        return weights
    fits = mask.dtype == np.bool_ and mask.shape == weights.shape
    check(fits, f"the mask of {name}", f"bool of shape {weights.shape}", f"{mask.dtype} {mask.shape}")
    return np.where(mask, weights, 0)


def finite(weights: Matrix, name: str = "weights") -> NDArray[np.float64]:
    """*weights* as float64, in which every float16 and float32 is exact.

    Raises:
        ValueError: One of them is NaN or infinite.
        TypeError: They are not floats or integers.
    """
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be floats or integers, was {weights.dtype}")
    wide = weights.astype(np.float64)
    nan, infinite = int(np.isnan(wide).sum()), int(np.isinf(wide).sum())
    if nan or infinite:
        raise ValueError(f"{name} must be finite, had {nan} NaN and {infinite} infinite of {wide.size} weights")
    return wide
