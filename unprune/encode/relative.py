"""Relative indices at speed: a layer cut into tiles of consecutive weights, each encoded just as ``golden.relative`` does, and back."""

from collections.abc import Iterator

import numpy as np

from golden.params.relative import RelativeParameters
from unprune.encode.base import Cost, Levels, Mask, Numbers, Tile, choose_largest, pieces
from unprune.encode.rlc import cut_runs, pack_fields, rebuild, trimmed

__all__ = ["choose", "cost", "encode", "rebuild", "streams_of"]

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: RelativeParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    A survivor whose level is 0 is a zero like any other. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement.
    """
    for piece in pieces(levels, mask, parameters.value_bits, parameters.count_bits):
        gaps, values = cut_runs(trimmed(piece), parameters.longest_run)
        yield Tile(len(piece), {"shape": np.array([len(piece)], np.uint64), **streams_of(gaps, values, parameters)})


def streams_of(gaps: Numbers, values: Numbers, parameters: RelativeParameters) -> dict[str, Numbers]:
    """The streams ``gap`` and ``value`` of these pairs, fillers among them."""
    p = parameters
    return {"gap": pack_fields({p.gap_positions: gaps}, p.pairs_per_word * p.gap_bits), "value": values}


def cost(tile: Tile, parameters: RelativeParameters) -> Cost:
    """A gap and a value for every pair, fillers too."""
    pairs = len(tile.streams["value"])
    return Cost(pairs * parameters.gap_bits, pairs * parameters.value_bits)
