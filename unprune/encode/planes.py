"""The bit-plane code at the speed of a format conversion: everything as :mod:`golden.planes` defines it, bit for bit."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check, check_range
from golden.params.planes import PlanesParameters
from unprune.encode import nearest
from unprune.encode.base import TILE_WEIGHTS, Cost, Levels, Mask, Progress, Tile, choose_largest, pack_bits, to_levels, to_patterns
from unprune.encode.compiled import compiled
from unprune.encode.lanes import LANES

Values = npt.NDArray[np.uint32]
Kept = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]

choose = choose_largest


@dataclass(frozen=True)
class Planes:
    """The values of a matrix, encoded.

    Attributes:
        inputs: uint8, (planes, steps): the p input bits of each step, the first highest.
        patches: uint64, see :func:`golden.planes.patches_of`.
        flips: How many bits the patches flip.
    """

    inputs: npt.NDArray[np.uint8]
    patches: Numbers
    flips: int

    def bits(self, parameters: PlanesParameters) -> int:
        """Bits that inputs and patches take in memory."""
        return self.inputs.size * parameters.p + self.patches.size * parameters.patch_bits


def encode(levels: Levels, mask: Mask, parameters: PlanesParameters) -> Iterator[Tile]:
    """*levels* within *mask*, flattened and cut into tiles of about ``TILE_WEIGHTS`` weights, whole blocks.

    Where ``count_bits`` asks for smaller tiles they are of whole beats.
    A layer without weights gives no tile. A field of up to 64 bits is uint64, a wider one Python integers (dtype object).

    Args:
        levels: Signed integers, (rows, columns).

    Raises:
        ValueError: A level needs more than ``value_bits``, two's complement.
    """
    p = parameters
    patterns, kept = to_patterns(np.where(mask.kept, levels, 0).ravel(), p.value_bits).astype(np.uint32), mask.kept.ravel()
    most = (1 << p.count_bits) - 1
    unit = next((unit for unit in (p.block, p.lanes) if unit <= most), most)
    size = max(min(TILE_WEIGHTS, most) // unit, 1) * unit
    for start in range(0, patterns.size, size):
        values, survive = patterns[start : start + size], kept[start : start + size]
        found = encode_values(values, survive, p)
        streams: dict[str, npt.NDArray[Any]] = {
            "shape": np.array([values.size], np.uint64),
            "mask": pack_bits(survive.view(np.uint8), p.lanes),
            "word": pack_bits(_interleave(found.inputs, p), p.word_bits),
            "patch": found.patches,
        }
        yield Tile(values.size, streams)


def rebuild(elements: npt.NDArray[np.unsignedinteger[Any]], tile: Tile, parameters: PlanesParameters) -> Levels:
    """The levels of *tile*, flat, from the weights that hardware gave; ``ValueError`` where there are not as many as in the tile."""
    check(len(elements) == tile.weights, "weights", str(tile.weights), len(elements))
    return to_levels(elements, parameters.value_bits)


def cost(tile: Tile, parameters: PlanesParameters) -> Cost:
    """A mask bit for every weight; p bits a step and plane, and the patches."""
    p = parameters
    return Cost(tile.weights, -(-tile.weights // p.q) * p.p * p.value_bits + len(tile.streams["patch"]) * p.patch_bits)


def encode_values(
    values: npt.NDArray[Any], mask: Kept, parameters: PlanesParameters, progress: Progress | None = None, workers: int | None = None
) -> Planes:
    """The inputs and patches of a matrix.

    Working space is a constant per worker: ``block_steps * 2**k * 8`` bytes, and little else.

    Args:
        values: Any shape, integers whose low ``value_bits`` bits are encoded (so signed levels go as two's complement).
        mask: bool, the same shape, True where a weight survives.
        workers: Threads; one a core when not given.

    Raises:
        TypeError: *values* are not integers, or *mask* is not bool.
        ValueError: The shapes differ.
    """
    flat, kept = _flat(values), _mask(mask)
    check(values.shape == mask.shape, "mask", f"of shape {values.shape}", mask.shape)
    inputs = _search(flat, kept, parameters, progress, workers)
    wrong = _expand(inputs, kept, parameters) ^ flat[kept]
    planes = np.arange(parameters.value_bits, dtype=np.uint32)
    survivor, plane = np.nonzero(wrong[:, None] >> planes & np.uint32(1))
    patches = _patches(np.flatnonzero(kept)[survivor], plane, parameters)
    return Planes(inputs, patches, survivor.size)


def decode_values(planes: Planes, mask: Kept, parameters: PlanesParameters) -> Values:
    """The values, uint32, of the shape of *mask*; 0 where it is False.

    Raises:
        TypeError: *mask* is not bool.
        ValueError: There are not as many inputs as the matrix has, or a patch lies past its last weight.
    """
    kept, p = _mask(mask), parameters
    check(planes.inputs.shape == (p.value_bits, -(-kept.size // p.q)), "the inputs", f"{p.value_bits} for each step", planes.inputs.shape)
    values = np.zeros(kept.size, np.uint32)
    values[kept] = _expand(planes.inputs, kept, p)
    gaps = (planes.patches >> np.uint64(p.lane_bits + p.plane_bits)).astype(np.int64)
    lane = (planes.patches & np.uint64((1 << p.lane_bits) - 1)).astype(np.int64)
    plane = (planes.patches >> np.uint64(p.lane_bits) & np.uint64((1 << p.plane_bits) - 1)).astype(np.uint32)
    weight = np.cumsum(np.concatenate([[0], gaps]))[:-1] * p.lanes + lane
    flips = (lane < p.lanes) & (plane < p.value_bits)
    furthest = int(weight[flips].max(initial=-1))
    check(furthest < kept.size, "a patch", f"of one of {kept.size} weights", furthest)
    np.bitwise_xor.at(values, weight[flips], np.uint32(1) << plane[flips])
    values[~kept] = 0
    return values.reshape(mask.shape)


def _interleave(inputs: npt.NDArray[np.uint8], parameters: PlanesParameters) -> npt.NDArray[np.uint8]:
    """The input bits as they stand in the words: step after step, in a step plane after plane."""
    shifts = np.arange(parameters.p - 1, -1, -1, dtype=np.uint8)
    return (inputs.T[:, :, None] >> shifts & np.uint8(1)).ravel()


def _patches(weights: npt.NDArray[np.int64], planes: npt.NDArray[np.int64], parameters: PlanesParameters) -> Numbers:
    """The patches that flip bit ``planes[i]`` of weight ``weights[i]``, both ascending; as :func:`golden.planes.patches_of`."""
    p = parameters
    none, furthest = (1 << p.lane_bits) - 1, (1 << p.gap_bits) - 1
    beat, lane = np.divmod(weights, p.lanes)
    flips = lane | planes << p.lane_bits
    if beat.size and beat[0]:  # the first patch is in beat 0
        beat, flips = np.concatenate([[0], beat]), np.concatenate([[none], flips])
    further = np.diff(beat, append=beat[-1:])
    # So many patches stand for one: it, and what bridges the gap after it, each by the furthest but the last.
    number = np.maximum(-(-further // furthest), 1)
    patches = np.full(int(number.sum()), none | furthest << p.lane_bits + p.plane_bits, np.int64)
    last = np.cumsum(number) - 1
    patches[last] = none | (further - (number - 1) * furthest) << p.lane_bits + p.plane_bits
    first = last - number + 1
    patches[first] = (patches[first] & ~none) | flips
    return patches.astype(np.uint64)


def _flat(values: npt.NDArray[Any]) -> Values:
    if values.dtype.kind not in "iu":
        raise TypeError(f"values must be integers, was {values.dtype}")
    return values.ravel().astype(np.int64).astype(np.uint32)


def _mask(mask: Kept) -> Kept:
    if mask.dtype != np.bool_:
        raise TypeError(f"mask must be bool, was {mask.dtype}")
    return np.ascontiguousarray(mask).ravel()


def _search(
    flat: Values, kept: Kept, parameters: PlanesParameters, progress: Progress | None, workers: int | None
) -> npt.NDArray[np.uint8]:
    """The p input bits of each step as a word: (bits, steps)."""
    if workers is not None:
        check_range("workers", workers, 1, 1 << 10)
    p, taps = parameters, np.array(parameters.taps, np.int64)
    words = np.empty((-(-p.value_bits // LANES) * LANES, -(-flat.size // p.q)), np.uint8)

    def one(start: int) -> int:
        end, first = min(start + p.block, flat.size), start // p.q
        found = np.empty((LANES, -(-(end - start) // p.q)), np.uint8)
        for plane in range(0, p.value_bits, LANES):
            nearest.search(flat[start:end], kept[start:end], plane, taps, p.k, p.p, found)
            words[plane : plane + LANES, first : first + found.shape[1]] = found
        return end - start

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for done in pool.map(one, range(0, flat.size, p.block)):
            if progress:
                progress(done)
    return words[: p.value_bits]


def _expand(words: npt.NDArray[np.uint8], kept: Kept, parameters: PlanesParameters) -> Values:
    """The survivors' values as the inputs give them, before patches."""
    p, survivors = parameters, np.zeros(int(np.count_nonzero(kept)), np.uint32)
    _outputs(words, kept, p.k, p.p, p.block_steps, _tables(p), p.q, survivors)
    return survivors


def _tables(parameters: PlanesParameters) -> npt.NDArray[np.uint64]:
    """(3, 256, 4): the outputs, 64 a word, that each byte of the window adds."""
    tables = np.zeros((3, 256, 4), np.uint64)
    byte = np.arange(256)
    for j, tap in enumerate(parameters.taps):
        for i in range(3):
            odd = (np.bitwise_count(byte & tap >> 8 * i) & 1).astype(np.uint64)
            tables[i, :, j // 64] |= odd << np.uint64(j % 64)
    return tables


@compiled
def _outputs(words: Any, kept: Any, k: int, p: int, block_steps: int, tables: Any, q: int, survivors: Any) -> None:
    """Set bit b of each survivor to what the inputs of plane b, ``words[b]``, give for it."""
    size, chunks, place = (1 << k + p) - 1, (q + 63) // 64, 0
    windows, given, cares = np.zeros(words.shape[0], np.int64), np.empty(4, np.uint64), np.empty(q, np.uint64)
    for step in range(words.shape[1]):
        n = 0
        for j in range(min(q, len(kept) - step * q)):  # the care bits, without a branch on each
            cares[n] = j
            n += kept[step * q + j]
        for b in range(words.shape[0]):
            window = 0 if step % block_steps == 0 else windows[b]
            windows[b] = window = (window << p | words[b, step]) & size
            for i in range(chunks):
                given[i] = tables[0, window & 255, i] ^ tables[1, window >> 8 & 255, i] ^ tables[2, window >> 16, i]
            for i in range(n):
                bit = given[cares[i] >> np.uint64(6)] >> (cares[i] & np.uint64(63)) & np.uint64(1)
                survivors[place + i] |= np.uint32(bit) << np.uint32(b)
        place += n

