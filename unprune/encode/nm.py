"""The N:M format at speed: the n largest of each group of m, and tiles of whole groups, each encoded just as ``golden.nm`` does."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.nm import NmParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Progress, Tile, Weights, pack_bits, to_levels, to_patterns

Grouped = npt.NDArray[Any]  # (groups, m)


def choose(weights: Weights, density: float, parameters: NmParameters, progress: Progress | None = None) -> Mask:
    """The mask that keeps the n largest magnitudes of each group of m consecutive weights, row-major; of equal ones the first.

    The density is n / m, but for a last group of fewer than m weights, which may keep n of them too. Any other *density* cannot be had: it
    is not followed, and a warning says so.

    Raises:
        ValueError: A weight is NaN or infinite, or *density* is not between 0 and 1.
    """
    p = parameters
    check(0 <= density <= 1, "density", "between 0 and 1", density)
    wrong = int(weights.size - np.isfinite(weights).sum())
    if wrong:
        raise ValueError(f"weights must be finite, {wrong} of {weights.size} are NaN or infinite")
    if weights.size and density != p.n / p.m:
        warnings.warn(
            f"{p.name} keeps {p.n} of every {p.m} weights, a density of {p.n / p.m:.3g}; the {density:.3g} asked for is not followed",
            stacklevel=2,
        )
    # The weights that are missing in the last group are smaller than any other.
    groups = _grouped(np.abs(weights).ravel(), p, missing=-1)
    order = np.argsort(-groups, axis=1, kind="stable")
    kept = np.zeros(groups.shape, np.bool_)
    np.put_along_axis(kept, order[:, : p.n], True, axis=1)
    if progress is not None:
        progress(weights.size)
    return Mask(kept.ravel()[: weights.size].reshape(weights.shape))


def encode(levels: Levels, mask: Mask, parameters: NmParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of about ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    Every group stores n values: a survivor whose level is 0 is a stored zero. A layer without weights gives no tile.
    ``index`` holds beats of ``groups * n`` indices: uint64 up to 64 bits, Python integers (dtype object) above.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement, or a group has more than n levels that are not 0.
    """
    p = parameters
    patterns = to_patterns(np.where(mask.kept, levels, 0).ravel(), p.value_bits)
    size = min(TILE_WEIGHTS, (1 << p.count_bits) - 1) // p.lanes * p.lanes
    for start in range(0, patterns.size, size):
        piece = patterns[start : start + size]
        groups = _grouped(piece, p, missing=0)
        survivors = (groups != 0).sum(axis=1)
        check(int(survivors.max()) <= p.n, "the survivors of a group", f"at most {p.n}", int(survivors.max()))
        # Those that are not 0, then the first that are, until there are n.
        zeros = groups == 0
        stored = ~zeros | (np.cumsum(zeros, axis=1) <= (p.n - survivors)[:, None])
        positions = np.nonzero(stored)[1].reshape(-1, p.n)
        streams = {"shape": np.array([piece.size], np.uint64), "index": _words(positions, p), "value": groups[stored]}
        yield Tile(piece.size, streams)


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: NmParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.value_bits)


def cost(tile: Tile, parameters: NmParameters) -> Cost:
    """n indices and n values for every started group."""
    groups = -(-tile.weights // parameters.m)
    return Cost(groups * parameters.group_bits, groups * parameters.n * parameters.value_bits)


def _grouped(flat: npt.NDArray[Any], parameters: NmParameters, missing: int) -> Grouped:
    """*flat* as rows of m, the last one filled up with *missing*."""
    return np.pad(flat, (0, -flat.size % parameters.m), constant_values=missing).reshape(-1, parameters.m)


def _words(positions: npt.NDArray[np.intp], parameters: NmParameters) -> npt.NDArray[Any]:
    """The positions of the survivors (groups, n) as beats of the index stream, the first in bit 0."""
    p = parameters
    beats = -(-len(positions) // p.groups)
    indices = np.zeros((beats * p.groups * p.n, p.index_bits), np.uint8)
    for bit in range(p.index_bits):
        indices[: positions.size, bit] = positions.ravel() >> bit & 1
    return pack_bits(indices.ravel(), p.groups * p.group_bits)
