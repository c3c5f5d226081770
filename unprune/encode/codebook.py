"""The codebook at speed: a layer cut into tiles of consecutive weights, each with a table of its levels, just as in ``golden``."""

from collections.abc import Iterator

import numpy as np

from golden.params.base import check
from golden.params.codebook import CodebookParameters
from unprune.encode.base import Cost, Levels, Mask, Numbers, Tile, choose_largest, pieces, to_levels

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: CodebookParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    Every weight has a code, pruned ones too. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement, or a tile has more different levels than codes can tell.
    """
    for piece in pieces(levels, mask, parameters.value_bits, parameters.count_bits):
        table, codes = np.unique(piece, return_inverse=True)
        check(len(table) <= parameters.entries, "the entries of the table", f"at most {parameters.entries}", len(table))
        yield Tile(len(piece), {"shape": np.array([len(piece)], np.uint64), "table": table, "code": codes.astype(np.uint64)})


def rebuild(elements: Numbers, tile: Tile, parameters: CodebookParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.value_bits)


def cost(tile: Tile, parameters: CodebookParameters) -> Cost:
    """A code for every weight, and the table: all of it tells values."""
    return Cost(0, tile.weights * parameters.code_bits + len(tile.streams["table"]) * parameters.value_bits)
