"""The bit-plane code at the speed of a format conversion: everything as :mod:`golden.planes` defines it, bit for bit."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.base import check, check_range
from golden.params.planes import PlanesParameters
from unprune.encode import nearest
from unprune.encode.base import Progress
from unprune.encode.compiled import compiled
from unprune.encode.lanes import LANES

Values = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Plane:
    """One bit plane, encoded; as :class:`golden.planes.Plane`.

    Attributes:
        inputs: uint8, 0 or 1, p for every started step.
        counts: int64, patch entries of each block.
        gaps: uint16, the patch entries of all blocks.
    """

    inputs: npt.NDArray[np.uint8]
    counts: npt.NDArray[np.int64]
    gaps: npt.NDArray[np.uint16]

    def bits(self, parameters: PlanesParameters) -> int:
        """Bits that the plane takes in memory: inputs, patch entries, and the number of entries of each block."""
        return self.inputs.size + self.gaps.size * parameters.gap_bits + self.counts.size * parameters.count_bits


def encode(
    values: npt.NDArray[Any], mask: Mask, parameters: PlanesParameters, progress: Progress | None = None, workers: int | None = None
) -> list[Plane]:
    """The planes of a matrix, bit 0 of the values first.

    Working space is a constant per worker: ``block_steps * 2**k * 8`` bytes, and little else.

    Args:
        values: Any shape, integers whose low ``bits`` bits are encoded (so signed levels go as two's complement).
        mask: bool, the same shape, True where a weight survives.
        workers: Threads; one a core when not given.

    Raises:
        TypeError: *values* are not integers, or *mask* is not bool.
        ValueError: The shapes differ.
    """
    flat, kept = _flat(values), _mask(mask)
    check(values.shape == mask.shape, "mask", f"of shape {values.shape}", mask.shape)
    words = _search(flat, kept, parameters, progress, workers)
    wrong = (_expand(words, kept, parameters) ^ flat[kept]).astype(np.uint32)
    ends = _survivors_before(kept, parameters)
    shifts = np.arange(parameters.p - 1, -1, -1, dtype=np.uint8)
    planes = []
    for b in range(parameters.bits):
        counts, gaps = _patches(np.flatnonzero(wrong >> np.uint32(b) & np.uint32(1)), ends, parameters)
        planes.append(Plane((words[b][:, None] >> shifts & 1).astype(np.uint8).ravel(), counts, gaps))
    return planes


def decode(planes: Sequence[Plane], mask: Mask, parameters: PlanesParameters) -> Values:
    """The values, uint32, of the shape of *mask*; 0 where it is False.

    Raises:
        TypeError: *mask* is not bool.
        ValueError: There are not as many planes, inputs, counts or gaps as the matrix has, or a patch lies past its block's last survivor.
    """
    kept, p = _mask(mask), parameters
    steps, blocks = -(-kept.size // p.q), -(-kept.size // p.block)
    check(len(planes) == p.bits, "the number of planes", f"{p.bits}", len(planes))
    for plane in planes:
        check(plane.inputs.size == steps * p.p, "the number of input bits of a plane", f"{steps * p.p}", plane.inputs.size)
        check(plane.counts.size == blocks, "the number of counts of a plane", f"{blocks}", plane.counts.size)
        entries = int(plane.counts.sum())
        check(plane.gaps.size == entries, "the number of gaps of a plane", f"{entries}", plane.gaps.size)
    weights = (1 << np.arange(p.p - 1, -1, -1)).astype(np.uint8)
    words = np.array([plane.inputs.reshape(-1, p.p) @ weights for plane in planes], np.uint8).reshape(p.bits, steps)
    survivors = _expand(words, kept, p)
    ends = _survivors_before(kept, p)
    for b, plane in enumerate(planes):
        survivors[_places(plane, ends, p)] ^= np.uint32(1 << b)
    values = np.zeros(kept.size, np.uint32)
    values[kept] = survivors
    return values.reshape(mask.shape)


def matched(planes: Sequence[Plane], mask: Mask, parameters: PlanesParameters) -> float:
    """The share of care bits that the inputs alone give, before patches; 1 where there is none."""
    cares = int(np.count_nonzero(mask)) * len(planes)
    flips = sum(int(np.count_nonzero(plane.gaps != parameters.filler)) for plane in planes)
    return 1 - flips / cares if cares else 1.0


def _flat(values: npt.NDArray[Any]) -> Values:
    if values.dtype.kind not in "iu":
        raise TypeError(f"values must be integers, was {values.dtype}")
    return values.ravel().astype(np.int64).astype(np.uint32)


def _mask(mask: Mask) -> Mask:
    if mask.dtype != np.bool_:
        raise TypeError(f"mask must be bool, was {mask.dtype}")
    return np.ascontiguousarray(mask).ravel()


def _survivors_before(kept: Mask, parameters: PlanesParameters) -> npt.NDArray[np.int64]:
    """(blocks + 1,), the number of survivors before each block, and of all."""
    starts = np.arange(0, kept.size, parameters.block)
    inside = np.add.reduceat(kept, starts, dtype=np.int64) if kept.size else np.zeros(0, np.int64)
    return np.concatenate([[0], np.cumsum(inside)])


def _search(
    flat: Values, kept: Mask, parameters: PlanesParameters, progress: Progress | None, workers: int | None
) -> npt.NDArray[np.uint8]:
    """The p input bits of each step as a word: (bits, steps)."""
    if workers is not None:
        check_range("workers", workers, 1, 1 << 10)
    p, taps = parameters, np.array(parameters.taps, np.int64)
    words = np.empty((-(-p.bits // LANES) * LANES, -(-flat.size // p.q)), np.uint8)

    def one(start: int) -> int:
        end, first = min(start + p.block, flat.size), start // p.q
        found = np.empty((LANES, -(-(end - start) // p.q)), np.uint8)
        for plane in range(0, p.bits, LANES):
            nearest.search(flat[start:end], kept[start:end], plane, taps, p.k, p.p, found)
            words[plane : plane + LANES, first : first + found.shape[1]] = found
        return end - start

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for done in pool.map(one, range(0, flat.size, p.block)):
            if progress:
                progress(done)
    return words[: p.bits]


def _expand(words: npt.NDArray[np.uint8], kept: Mask, parameters: PlanesParameters) -> Values:
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
            odd = np.array([(int(value) & tap >> 8 * i).bit_count() & 1 for value in byte], np.uint64)
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


def _patches(
    wrong: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], parameters: PlanesParameters
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16]]:
    """The counts and gaps that flip the survivors *wrong* (ascending)."""
    block = np.searchsorted(ends, wrong, side="right") - 1
    before = np.concatenate([[-1], wrong[:-1]])[: wrong.size]
    fillers, gap = np.divmod(wrong - 1 - np.maximum(before, ends[block] - 1), parameters.filler)
    gaps = np.full(int(fillers.sum()) + wrong.size, parameters.filler, np.uint16)
    gaps[np.cumsum(fillers + 1) - 1] = gap
    return np.bincount(block, fillers + 1, ends.size - 1).astype(np.int64), gaps


def _places(plane: Plane, ends: npt.NDArray[np.int64], parameters: PlanesParameters) -> npt.NDArray[np.int64]:
    """The survivors that the patches of *plane* flip; inverse of :func:`_patches`."""
    flips = plane.gaps != parameters.filler
    passed = np.concatenate([[0], np.cumsum(plane.gaps.astype(np.int64) + flips)])  # care bits that entries 0 to i - 1 go past
    block = np.repeat(np.arange(plane.counts.size), plane.counts)
    first = np.concatenate([[0], np.cumsum(plane.counts)])
    places: npt.NDArray[np.int64] = ((passed[1:] - passed[first[block]]) + ends[block] - 1)[flips]
    owner = block[flips]
    past = places >= ends[owner + 1]
    if past.any():
        i = int(owner[past][0])
        place, survivors = int(places[past][0] - ends[i]), int(ends[i + 1] - ends[i])
        check(False, f"a patch of block {i}", f"at one of its {survivors} survivors", place)
    return places
