"""The run-length code at speed: a layer cut into tiles of consecutive weights, each encoded just as ``golden.rlc`` does, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from golden.params.base import check
from golden.params.pairs import PairParameters
from golden.params.rlc import RlcParameters
from unprune.encode.base import Cost, Levels, Mask, Numbers, Tile, choose_largest, pieces, to_levels

choose = choose_largest


def encode(levels: Levels, mask: Mask, parameters: RlcParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of ``TILE_WEIGHTS`` weights, fewer where ``count_bits`` asks for it.

    A survivor whose level is 0 is a zero like any other. A layer without weights gives no tile.

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``level_bits``, two's complement.
    """
    for piece in pieces(levels, mask, parameters.level_bits, parameters.count_bits):
        coded = trimmed(piece) if parameters.terminator else piece
        runs, numbers = cut_runs(coded, parameters.longest_run)
        unended = np.zeros(int(len(coded) < len(piece)), np.uint64)  # the terminator is 0
        code = _pack(np.append(runs, unended), np.append(numbers, unended), parameters)
        yield Tile(len(piece), {"shape": np.array([len(piece)], np.uint64), "code": code})


def rebuild(elements: Numbers, tile: Tile, parameters: PairParameters) -> Levels:
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


def trimmed(piece: Numbers) -> Numbers:
    """*piece* without the zeros at its end."""
    kept = np.flatnonzero(piece)
    return piece[: kept[-1] + 1] if len(kept) else piece[:0]


def cut_runs(tile: Numbers, longest: int) -> tuple[Numbers, Numbers]:
    """Runs and levels of *tile*, flat; runs are cut after *longest* zeros, the zero after them being the level."""
    ends = np.flatnonzero(tile)  # where a level stands; the last zero of a tile that ends in zeros is one
    if len(tile) and (not len(ends) or ends[-1] != len(tile) - 1):
        ends = np.append(ends, len(tile) - 1)
    gaps = np.diff(ends, prepend=-1) - 1  # zeros before each level
    cuts = gaps // (longest + 1)  # pairs (longest, 0) before each
    runs = np.full(len(ends) + int(cuts.sum()), longest, np.uint64)
    levels = np.zeros(len(runs), np.uint64)
    own = np.cumsum(cuts + 1) - 1
    runs[own] = gaps - cuts * (longest + 1)
    levels[own] = tile[ends]
    return runs, levels


def pack_fields(fields: Mapping[tuple[int, ...], Numbers], bits: int) -> Numbers:
    """Words of *bits* from *fields*: where in a word they stand, the lowest bit of each, and the numbers, word after word.

    Places of the last word for which there is no number are 0. Words of more than 64 bits are Python integers.
    """
    kind: type[Any] = np.uint64 if bits <= 64 else object
    words = np.zeros(max(-(-len(numbers) // len(places)) for places, numbers in fields.items()), kind)
    for places, numbers in fields.items():
        for number, at in enumerate(places):
            column = numbers[number :: len(places)].astype(kind)
            words[: len(column)] |= column << (np.uint64(at) if kind is np.uint64 else at)
    return words


def _pack(runs: Numbers, levels: Numbers, parameters: RlcParameters) -> Numbers:
    """The words of a code."""
    p = parameters
    words = pack_fields({p.run_positions: runs, p.level_positions: levels}, p.word_bits)
    if p.marker_position is not None:
        words[-1:] |= np.array([1 << p.marker_position], words.dtype)
    return words
