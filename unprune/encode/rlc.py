"""The run-length code at speed: a layer cut into tiles of consecutive weights, each encoded just as ``golden.rlc`` does, and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.rlc import RlcParameters
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Tile, choose_largest, to_levels, to_patterns

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: RlcParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    A survivor whose level is 0 is a zero like any other. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``level_bits``, two's complement.
    """
    patterns = to_patterns(np.where(mask.kept, levels, 0).ravel(), parameters.level_bits)
    most = min(TILE_WEIGHTS, (1 << parameters.count_bits) - 1)
    for start in range(0, len(patterns), most):
        tile = patterns[start : start + most]
        code = _pack(*_pairs(tile, parameters.longest_run), parameters)
        yield Tile(len(tile), {"shape": np.array([len(tile)], np.uint64), "code": code})


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: RlcParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave.

    Raises:
        ValueError: There are not as many as the tile has.
    """
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.level_bits)


def cost(tile: Tile, parameters: RlcParameters) -> Cost:
    """All words of the code: the levels of their pairs, used or not, are value bits, everything else is index."""
    words = len(tile.streams["code"])
    values = words * parameters.pairs_per_word * parameters.level_bits
    return Cost(words * parameters.word_bits - values, values)


def _pairs(tile: npt.NDArray[np.uint64], longest: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Runs and levels of a tile; runs are cut after *longest* zeros, the zero after them being the level."""
    ends = np.flatnonzero(tile)  # where a level stands; the last zero of a tile that ends in zeros is one
    if not len(ends) or ends[-1] != len(tile) - 1:
        ends = np.append(ends, len(tile) - 1)
    gaps = np.diff(ends, prepend=-1) - 1  # zeros before each level
    cuts = gaps // (longest + 1)  # pairs (longest, 0) before each
    runs = np.full(len(ends) + int(cuts.sum()), longest, np.int64)
    levels = np.zeros(len(runs), np.uint64)
    own = np.cumsum(cuts + 1) - 1
    runs[own] = gaps - cuts * (longest + 1)
    levels[own] = tile[ends]
    return runs, levels


def _pack(
    runs: npt.NDArray[np.int64], levels: npt.NDArray[np.uint64], parameters: RlcParameters
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """The words of a code; of Python integers where a word has more than 64 bits."""
    p = parameters
    kind: type[Any] = np.uint64 if p.word_bits <= 64 else object
    pad = -len(runs) % p.pairs_per_word
    run_of = np.append(runs, np.zeros(pad, np.int64)).astype(kind).reshape(-1, p.pairs_per_word)
    level_of = np.append(levels, np.zeros(pad, np.uint64)).astype(kind).reshape(-1, p.pairs_per_word)
    words = np.zeros(len(run_of), kind)
    for pair, (run_at, level_at) in enumerate(zip(p.run_positions, p.level_positions, strict=True)):
        words |= run_of[:, pair] << kind(run_at) if kind is np.uint64 else run_of[:, pair] * (1 << run_at)
        words |= level_of[:, pair] << kind(level_at) if kind is np.uint64 else level_of[:, pair] * (1 << level_at)
    if p.marker_position is not None:
        words[-1] |= kind(1 << p.marker_position) if kind is np.uint64 else 1 << p.marker_position
    return words
