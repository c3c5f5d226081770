"""The Viterbi format at speed: the exact search for the mask that keeps most, at a wanted density, and the layer cut into tiles.

``search`` and ``decompress`` give what ``golden.viterbi`` gives, bit for bit; the gains of ``choose`` are those of ``golden.gains``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check
from golden.params.viterbi import ViterbiParameters
from unprune.encode import density as wanted
from unprune.encode import engine, trellis
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Progress, Tile, Weights, pack_bits
from unprune.encode.sums import sums

Bits = npt.NDArray[np.uint8]


def search(gains: npt.NDArray[Any], parameters: ViterbiParameters, progress: Progress | None = None, workers: int | None = None) -> Bits:
    """The compressed bits that maximise the sum of *gains* where the mask is 1, block by block, and of equal ones those that golden picks.

    Args:
        gains: Integers, one a weight, row-major.
        progress: Called with the number of weights done since the last call.
        workers: Threads; none: as many as there are cores for a large layer, else one.

    Returns:
        0 or 1 each; p for every started step of q weights.

    Raises:
        TypeError: *gains* are not integers.
        ValueError: The gains or the trellis are too large: sums need 63 bits, decisions 1 GiB.
    """
    flat = np.asarray(gains).ravel()
    if flat.dtype.kind not in "iu":
        raise TypeError(f"gains must be integers, was {flat.dtype}")
    return engine.search(engine.Integers(flat), parameters, progress, workers)


def decompress(bits: Bits, count: int, parameters: ViterbiParameters) -> Bits:
    """The first *count* mask bits (0 or 1) that the compressed *bits* stand for; ``ValueError`` when there are too few of them."""
    needed = -(-count // parameters.q) * parameters.p
    check(len(bits) >= needed, "the number of compressed bits", f"at least {needed}", len(bits))
    mask = np.empty(count, np.uint8)
    k, p, q = parameters.k, parameters.p, parameters.q
    trellis.decompress(np.asarray(bits, np.uint8), sums(parameters).words, q, k, p, parameters.block_steps, mask)
    return mask


def choose(
    weights: Weights,
    density: float,
    parameters: ViterbiParameters,
    progress: Progress | None = None,
    gain: str = "linear",
    workers: int | None = None,
) -> Mask:
    """The mask of *density* that keeps most of a layer, and its compressed bits.

    The threshold of the gain is moved until the density is met: within 0.001, or one weight, wherever blocks of two neighbouring thresholds
    together can meet it. Where the decompressor cannot give such a density at all, the nearest it can give comes with a warning.

    Args:
        weights: Floats, any shape; all of one layer.
        density: Survivors per weight, 0 to 1.
        gain: ``"linear"`` or ``"tanh"``, see ``golden.gains``.
        progress, workers: As for :func:`search`; there are a few searches.

    Raises:
        ValueError: A weight is NaN or infinite; *density* or *gain* is not one of the above.
    """
    check(0 <= density <= 1, "density", "between 0 and 1", density)
    check(gain in ("linear", "tanh"), "gain", "'linear' or 'tanh'", gain)
    flat = np.ascontiguousarray(weights).ravel()
    if flat.dtype.kind not in "fiu":
        raise TypeError(f"weights must be floats or integers, was {flat.dtype}")
    if flat.dtype not in (np.float32, np.float64):  # both hold every smaller float exactly
        flat = flat.astype(np.float64)
    index = wanted.meet(flat, density, parameters, gain, progress, workers)
    return Mask(decompress(index, weights.size, parameters).view(np.bool_).reshape(weights.shape), index)


def encode(levels: Levels, mask: Mask, parameters: ViterbiParameters) -> Iterator[Tile]:
    """*levels* cut into tiles of whole blocks, at most about ``TILE_WEIGHTS`` weights each.

    ``index`` holds beats of ``index_bits`` bits: uint64 up to 64 bits, Python integers (dtype object) above.
    """
    if mask.index is None:
        raise ValueError("mask must come from choose(): the Viterbi format can not encode any other")
    flat, kept = levels.ravel(), mask.kept.ravel()
    block = parameters.block_steps * parameters.q
    size = max(1, TILE_WEIGHTS // block) * block
    for start in range(0, flat.size, size):
        piece = slice(start, min(start + size, flat.size))
        first, last = start // parameters.q * parameters.p, -(-piece.stop // parameters.q) * parameters.p
        count = piece.stop - start
        streams = {"shape": np.array([count], np.uint64), "index": pack_bits(mask.index[first:last], parameters.index_bits)}
        yield Tile(count, streams, _pick(flat[piece], kept[piece]))


def rebuild(elements: Iterable[int], tile: Tile, parameters: ViterbiParameters) -> Levels:
    """The levels of *tile*, from the words of mask bits that hardware gave and the tile's survivors.

    Raises:
        ValueError: The words hold fewer bits than the tile has weights, or another number of survivors than the tile.
    """
    assert tile.survivors is not None
    width = -(-parameters.mask_bits // 8)
    rows = np.frombuffer(b"".join(int(word).to_bytes(width, "little") for word in elements), np.uint8).reshape(-1, width)
    kept = np.unpackbits(rows, axis=1, bitorder="little")[:, : parameters.mask_bits].ravel()[: tile.weights].astype(np.bool_)
    check(kept.size == tile.weights, "mask bits", str(tile.weights), kept.size)
    check(int(kept.sum()) == tile.survivors.size, "survivors", str(tile.survivors.size), int(kept.sum()))
    levels = np.zeros(tile.weights, tile.survivors.dtype)
    levels[kept] = tile.survivors
    return levels


def cost(tile: Tile, parameters: ViterbiParameters) -> Cost:
    """p bits a step; a survivor takes what its integer type takes."""
    assert tile.survivors is not None
    return Cost(-(-tile.weights // parameters.q) * parameters.p, tile.survivors.size * tile.survivors.dtype.itemsize * 8)


def _pick(values: Levels, kept: npt.NDArray[np.bool_]) -> Levels:
    """``values[kept]``."""
    picked = np.empty(int(np.count_nonzero(kept)) + 1, values.dtype)
    trellis.pick(values, kept.view(np.uint8), picked)
    return picked[:-1]
