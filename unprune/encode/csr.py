"""The CSR format at speed: a layer cut into tiles of whole rows, each encoded just as ``golden.csr`` does, and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.csr import CsrParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Tile, choose_largest, to_levels, to_patterns

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: CsrParameters) -> Iterator[Tile]:
    """*levels* within *mask*, cut into tiles of whole rows of at most ``TILE_WEIGHTS`` weights, or one row where that is longer.

    A survivor whose level is 0 is not stored. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement; a row has more columns or survivors than *parameters* allow.
    """
    rows, columns = levels.shape
    if not levels.size:
        return
    check(columns < 1 << parameters.column_bits, "columns", f"below 2**column_bits = {1 << parameters.column_bits}", columns)
    kept = to_patterns(np.where(mask.kept, levels, 0), parameters.value_bits)
    survivors = (1 << parameters.count_bits) - 1
    most = max(1, min(TILE_WEIGHTS // columns, (1 << parameters.row_bits) - 1, survivors // columns))
    for start in range(0, rows, most):
        tile = encode_tile(kept[start : start + most])
        check(len(tile.streams["value"]) <= survivors, f"survivors of row {start}", f"at most {survivors}", len(tile.streams["value"]))
        yield tile


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: CsrParameters) -> Levels:
    """The levels of *tile*, flat, from what hardware gave: (row, column, value) each, or with ``dense`` the weights.

    Raises:
        ValueError: With ``dense`` there are not as many weights as in the tile, else not as many survivors as its shape says.
    """
    rows, columns, survivors = (int(number) for number in tile.streams["shape"][0])
    wanted, what = (rows * columns, "weights") if parameters.dense else (survivors, "survivors")
    check(len(elements) == wanted, what, str(wanted), len(elements))
    if parameters.dense:
        return to_levels(elements, parameters.value_bits)
    triples = elements.reshape(-1, 3)
    patterns = np.zeros(tile.weights, np.uint64)
    patterns[triples[:, 0].astype(np.int64) * columns + triples[:, 1].astype(np.int64)] = triples[:, 2]
    return to_levels(patterns, parameters.value_bits)


def cost(tile: Tile, parameters: CsrParameters) -> Cost:
    """A column and a value each survivor, and ``rows + 1`` row pointers, each as wide as its stream."""
    survivors = len(tile.streams["value"])
    pointers = len(tile.streams["pointer"])
    return Cost(pointers * parameters.count_bits + survivors * parameters.column_bits, survivors * parameters.value_bits)


def encode_tile(kept: npt.NDArray[np.unsignedinteger[Any]]) -> Tile:
    """The patterns *kept*, (rows, columns), as one tile; those that are 0 are not stored."""
    rows, columns = kept.shape
    flat = kept.ravel()
    places = np.flatnonzero(flat)
    pointer = np.searchsorted(places, np.arange(rows + 1) * columns)
    streams: dict[str, npt.NDArray[np.unsignedinteger[Any]]] = {
        "shape": np.array([[rows, columns, len(places)]], np.uint64),
        "pointer": pointer.astype(np.uint64),
        "column": (places % columns).astype(np.uint64),
        "value": flat[places],
    }
    return Tile(kept.size, streams)
