"""What the fast encoders of all formats have in common: a mask, tiles of encoded streams, and what they cost.

The module ``unprune.encode.FORMAT`` of each format has

- ``choose(weights, density, parameters, progress=None) -> Mask``: which weights of a layer survive;
- ``encode(levels, mask, parameters) -> Iterator[Tile]``: the layer cut into tiles, each encoded as one matrix of the hardware;
- ``rebuild(elements, tile, parameters) -> levels``: what hardware gave for a tile, back as flat signed levels;
- ``cost(tile, parameters) -> Cost``.

Everything gives what ``golden`` gives, bit for bit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from golden.params.base import Parameters, check
from unprune.prune import magnitude_mask

Weights: TypeAlias = npt.NDArray[np.floating[Any]]
Levels: TypeAlias = npt.NDArray[np.signedinteger[Any]]
Numbers: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]  # or Python integers (dtype object), where they are wider than 64 bits
Progress: TypeAlias = Callable[[int], None]  # called with the number of weights done since the last call

TILE_WEIGHTS = 1 << 16  # weights of a tile at most, but for a row that is longer


@dataclass(frozen=True)
class Mask:
    """Which weights of a layer survive.

    Attributes:
        kept: bool, (rows, columns).
        index: Viterbi only: the compressed bits (uint8, 0 or 1) that make *kept*.
    """

    kept: npt.NDArray[np.bool_]
    index: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Tile:
    """A run of consecutive weights (row-major) of a layer, encoded as one matrix.

    Attributes:
        weights: Number of weights in the tile.
        streams: For each input port of the decoder, and ``shape``, the elements as unsigned integers: (n,) for
            ports of one field, (n, fields) else.
        survivors: Values that do not travel through the decoder (Viterbi), signed, in order; None where they do.
    """

    weights: int
    streams: dict[str, npt.NDArray[np.unsignedinteger[Any]]]
    survivors: Levels | None = None


@dataclass(frozen=True)
class Cost:
    """Bits that a tile takes in memory, padding to bytes or words of a bus not counted."""

    index_bits: int
    value_bits: int


def choose_largest(
    weights: Weights,
    density: float,
    parameters: Parameters,  # noqa: ARG001 - other formats need it
    progress: Progress | None = None,
) -> Mask:
    """The mask of *density* that keeps the largest magnitudes of a layer: for formats that can store any mask.

    Raises:
        ValueError: a weight is NaN or infinite, or *density* is not between 0 and 1.
    """
    mask = Mask(magnitude_mask(weights, density))
    if progress is not None:
        progress(weights.size)
    return mask


def pieces(levels: Levels, mask: Mask, bits: int, count_bits: int) -> Iterator[Numbers]:
    """The patterns of *bits* of *levels* within *mask*, flattened and cut into what becomes a tile; errors as :func:`to_patterns`."""
    patterns = to_patterns(np.where(mask.kept, levels, 0).ravel(), bits)
    most = min(TILE_WEIGHTS, (1 << count_bits) - 1)
    for start in range(0, len(patterns), most):
        yield patterns[start : start + most]


def pack_bits(bits: npt.NDArray[np.uint8], width: int) -> npt.NDArray[Any]:
    """*bits* (0 or 1) packed into words of *width* bits, as ``golden.bits.bits_to_words`` does: uint64, above 64 bits Python integers."""
    padded = np.zeros(-(-len(bits) // width) * width, np.uint8)
    padded[: len(bits)] = bits
    packed = np.packbits(padded.reshape(-1, width), axis=1, bitorder="little")
    if width > 64:
        return np.array([int.from_bytes(row.tobytes(), "little") for row in packed], object)
    rows = np.zeros((len(packed), 8), np.uint8)
    rows[:, : packed.shape[1]] = packed
    return rows.view("<u8").ravel()


def to_patterns(levels: Levels, bits: int) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Signed *levels* as bit patterns of *bits*, two's complement.

    Raises:
        ValueError: a level needs more bits.
    """
    limit = 1 << bits - 1
    low, high = (int(levels.min()), int(levels.max())) if levels.size else (0, 0)
    check(-limit <= low and high < limit, "levels", f"between {-limit} and {limit - 1}", f"{low} to {high}")
    return levels.astype(np.int64).view(np.uint64) & np.uint64((1 << bits) - 1)


def to_levels(patterns: npt.NDArray[np.unsignedinteger[Any]], bits: int) -> Levels:
    """Bit patterns of *bits*, two's complement, as signed numbers of the smallest type that holds them."""
    kinds: tuple[type[np.signedinteger[Any]], ...] = (np.int8, np.int16, np.int32, np.int64)
    unused = np.int64(64 - bits)
    kind = next(kind for kind in kinds if np.iinfo(kind).bits >= bits)
    return (patterns.astype(np.uint64).view(np.int64) << unused >> unused).astype(kind)
