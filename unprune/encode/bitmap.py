"""The bitmap format at speed: tiles of whole beats, each encoded just as ``golden.bitmap`` does."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.bitmap import BitmapParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Tile, choose_largest, pack_bits, to_levels, to_patterns

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: BitmapParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of about ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    A survivor whose level is 0 is a stored zero. A layer without weights gives no tile. ``mask`` holds beats of *lanes* bits: uint64 up
    to 64 bits, Python integers (dtype object) above.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement.
    """
    p = parameters
    patterns, kept = to_patterns(np.where(mask.kept, levels, 0).ravel(), p.value_bits), mask.kept.ravel()
    most = (1 << p.count_bits) - 1
    size = max(min(TILE_WEIGHTS, most) // p.lanes * p.lanes, min(p.lanes, most))
    for start in range(0, patterns.size, size):
        piece = slice(start, min(start + size, patterns.size))
        words = pack_bits(kept[piece].view(np.uint8), p.lanes)
        count = piece.stop - start
        yield Tile(count, {"shape": np.array([count], np.uint64), "mask": words, "value": patterns[piece][kept[piece]]})


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: BitmapParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.value_bits)


def cost(tile: Tile, parameters: BitmapParameters) -> Cost:
    """A bit for every weight, and a value for every survivor."""
    return Cost(tile.weights, len(tile.streams["value"]) * parameters.value_bits)
