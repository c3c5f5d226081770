"""Matrices for the look-up unit at speed: a layer cut into tiles that its memory holds, each just as ``golden.lookup`` has it, and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.lookup import LookUpParameters
from unprune.encode import csr
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Numbers, Tile, choose_largest, to_levels, to_patterns

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: LookUpParameters) -> Iterator[Tile]:
    """*levels* within *mask*, cut into tiles of as many whole rows as memory and ports have room for, or of part of a row.

    Every weight of a tile is asked for, row after row. A survivor whose level is 0 is not stored. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement.
    """
    p = parameters
    if not levels.size:
        return
    kept = to_patterns(np.where(mask.kept, levels, 0), p.value_bits)
    weights, survivors = min(TILE_WEIGHTS, (1 << p.count_bits) - 1), (1 << p.survivor_bits) - 1
    columns = kept.shape[1]
    most = min(weights, (1 << p.column_bits) - 1)
    rows = min(weights // columns, (1 << p.row_bits) - 1) if columns <= most else 1
    for start, end in _runs(np.count_nonzero(kept, axis=1), rows, survivors):
        for first, after in [(0, columns)] if end - start > 1 else _runs(kept[start] != 0, most, survivors):
            yield _encode_tile(kept[start:end, first:after])


def rebuild(elements: Numbers, tile: Tile, parameters: LookUpParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.value_bits)


def cost(tile: Tile, parameters: LookUpParameters) -> Cost:
    """That of CSR: who asks has the requests, and no memory needs to hold them."""
    return csr.cost(tile, parameters.matrix)


def _runs(survivors: npt.NDArray[Any], most: int, room: int) -> Iterator[tuple[int, int]]:
    """Cut what has so many *survivors* each into runs of at most *most*, with no more than *room* survivors, but for runs of one."""
    before = np.concatenate([[0], np.cumsum(survivors)])
    start = 0
    while start < len(survivors):
        end = int(np.searchsorted(before, before[start] + room, side="right")) - 1
        end = min(max(end, start + 1), start + most)
        yield start, end
        start = end


def _encode_tile(kept: npt.NDArray[np.unsignedinteger[Any]]) -> Tile:
    rows, columns = kept.shape
    tile = csr.encode_tile(kept)
    shape = np.concatenate([tile.streams["shape"], np.array([[kept.size]], np.uint64)], axis=1)
    request = np.stack([np.repeat(np.arange(rows), columns), np.tile(np.arange(columns), rows)], axis=1).astype(np.uint64)
    return Tile(kept.size, tile.streams | {"shape": shape, "request": request})
