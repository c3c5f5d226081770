"""The group format at the speed of numpy: whole groups are kept, and encoded as CSR of one number each, just as ``golden.group`` does."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.group import GroupParameters
from unprune.encode import csr
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Progress, Tile, Weights, to_levels, to_patterns
from unprune.prune import finite, magnitude_mask


def choose(weights: Weights, density: float, parameters: GroupParameters, progress: Progress | None = None) -> Mask:
    """The mask that keeps the groups of the largest root mean square, as Scalpel does: exactly ``round(density * groups)`` of the layer.

    Of equal ones the earlier are kept. What is missing in the last group of a row counts as 0.

    Raises:
        ValueError: A weight is NaN or infinite, or *density* is not between 0 and 1.
    """
    magnitudes = np.abs(finite(weights))
    groups = _grouped(magnitudes / (magnitudes.max(initial=0) or 1), parameters.group)
    kept = magnitude_mask(np.square(groups).sum(axis=2), density)
    if progress is not None:
        progress(weights.size)
    return Mask(kept.repeat(parameters.group, axis=1)[:, : weights.shape[1]])


def encode(levels: Levels, mask: Mask, parameters: GroupParameters) -> Iterator[Tile]:
    """*levels* within *mask*, cut into tiles of whole rows of at most ``TILE_WEIGHTS`` weights, or one row where that is longer.

    Rows are filled up with zeros to whole groups; a group whose levels are all 0 is not stored. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement; a row has more groups or surviving groups than *parameters*
            allow.
    """
    p = parameters
    rows, columns = levels.shape
    if not levels.size:
        return
    patterns = _grouped(to_patterns(np.where(mask.kept, levels, 0), p.value_bits), p.group)
    check(patterns.shape[1] < 1 << p.column_bits, "groups a row", f"below 2**column_bits = {1 << p.column_bits}", patterns.shape[1])
    survivors = int(patterns.any(axis=2).sum(axis=1).max())
    check(survivors < 1 << p.count_bits, "surviving groups of a row", f"below 2**count_bits = {1 << p.count_bits}", survivors)
    shifts = np.arange(p.group, dtype=np.uint64) * np.uint64(p.value_bits)
    joined = to_levels(np.bitwise_or.reduce(patterns << shifts, axis=2), p.of.value_bits)
    most = max(1, TILE_WEIGHTS // columns)
    for start in range(0, rows, most):
        piece = joined[start : start + most]
        for tile in csr.encode(piece, Mask(np.ones(piece.shape, np.bool_)), p.of):
            values = tile.streams["value"][:, None] >> shifts & np.uint64((1 << p.value_bits) - 1)
            yield Tile(int(tile.streams["shape"][0, 0]) * columns, {**tile.streams, "value": values})


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: GroupParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave: without those that fill up the rows.

    Raises:
        ValueError: There are not as many weights as in the tile's groups.
    """
    rows, groups, _ = (int(number) for number in tile.streams["shape"][0])
    wanted = rows * groups * parameters.group
    check(len(elements) == wanted, "weights", str(wanted), len(elements))
    return to_levels(elements.reshape(rows, -1)[:, : tile.weights // rows].ravel(), parameters.value_bits)


def cost(tile: Tile, parameters: GroupParameters) -> Cost:
    """An index and as many values as a group has weights for each surviving group, and ``rows + 1`` row pointers."""
    return csr.cost(tile, parameters.of)


def _grouped(matrix: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """*matrix* as (rows, groups, weights of a group), its rows filled up with zeros."""
    padded = np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % size)))
    return padded.reshape(len(matrix), padded.shape[1] // size, size)
