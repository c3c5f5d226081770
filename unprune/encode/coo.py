"""Coordinates at speed: tiles of a layer, each encoded just as ``golden.coo`` does, and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.coo import CooParameters
from unprune.encode import sparse
from unprune.encode.base import Cost, Levels, Mask, Tile, choose_largest, pieces, to_levels

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: CooParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles.

    A survivor whose level is 0 is not stored. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement.
    """
    for patterns in pieces(levels, mask, parameters.value_bits, parameters.count_bits):
        positions = np.flatnonzero(patterns)
        entries = np.stack([positions.astype(np.uint64), patterns[positions].astype(np.uint64)], axis=1)
        yield Tile(len(patterns), {"shape": np.array([[len(patterns), len(positions)]], np.uint64), "entry": entries})


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: CooParameters) -> Levels:
    """The levels of *tile*, flat, from its weights as hardware gave them, or without ``dense`` from positions and values (n, 2).

    Raises:
        ValueError: There are not as many as in the tile, or a position is past it.
    """
    wanted, what = (tile.weights, "weights") if parameters.dense else (len(tile.streams["entry"]), "survivors")
    check(len(elements) == wanted, what, str(wanted), len(elements))
    return to_levels(elements if parameters.dense else sparse.spread(elements, tile.weights), parameters.value_bits)


def cost(tile: Tile, parameters: CooParameters) -> Cost:
    """A position and a value for every survivor."""
    survivors = len(tile.streams["entry"])
    return Cost(survivors * parameters.count_bits, survivors * parameters.value_bits)
