"""Runs a trellis search over whole layers: blocks into batches of lanes, batches onto threads, gains made batch by batch.

Small layers, or one small layer at several thresholds, share lanes. Working space is a constant per thread, whatever the size.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from golden import gains
from golden.params.base import check
from golden.params.viterbi import ViterbiParameters
from unprune.encode import fast, simd, trellis
from unprune.encode.base import Progress
from unprune.encode.sums import sums

LANES = 32
LARGE = 1 << 21  # weights from which a layer is worth all cores
SPACE = 1 << 30  # bytes that decisions of one thread may take


class Source(ABC):
    """Where a batch's integer gains come from."""

    size: int
    peak: int  # no gain is larger in magnitude

    @abstractmethod
    def load(self, first: int, block: int, out: npt.NDArray[Any]) -> None:
        """Fill ``out[lane, i]`` with the gain of weight ``first + lane * block + i`` for i below *block*, and 0 past that or the end."""


class Integers(Source):
    """Gains that are integers already."""

    def __init__(self, values: npt.NDArray[Any]):
        self.values, self.size = values, values.size
        self.peak = max(int(values.max()), -int(values.min())) if values.size else 0

    def load(self, first: int, block: int, out: npt.NDArray[Any]) -> None:
        trellis.load(self.values, first, block, out)


class Linear(Source):
    """``golden.gains.linear`` of weights between *low* and *high* in magnitude."""

    def __init__(self, weights: npt.NDArray[Any], threshold: float, low: float, high: float):
        self.weights, self.size, self.peak = weights, weights.size, gains.LIMIT
        self.threshold, self.most = threshold, gains.peak(low, high, threshold)

    def load(self, first: int, block: int, out: npt.NDArray[Any]) -> None:
        trellis.load_linear(self.weights, self.threshold, self.most, gains.scale(self.most), first, block, out)


class Tanh(Source):
    """``golden.gains.tanh`` of weights of which the largest has magnitude *high*."""

    def __init__(self, weights: npt.NDArray[Any], threshold: float, high: float, slope: float = 5.0):
        self.weights, self.size, self.peak = weights, weights.size, gains.LIMIT
        self.threshold, self.high, self.slope = threshold, high or 1.0, slope

    def load(self, first: int, block: int, out: npt.NDArray[Any]) -> None:
        trellis.load_tanh(self.weights, self.threshold, self.slope, self.high, gains.LIMIT, first, block, out)


def threads(size: int, workers: int | None) -> int:
    """*workers*, or where none are named as many as a layer of *size* weights is worth."""
    return workers or (os.cpu_count() or 1 if size >= LARGE else 1)


@dataclass(frozen=True)
class Piece:
    """Consecutive blocks of one source, in consecutive lanes of a batch.

    Attributes:
        source: The number of the source.
        lane, lanes: The first lane, and how many.
        first, steps: The first step, and how many; those of a block that is cut off at the end are fewer.
    """

    source: int
    lane: int
    lanes: int
    first: int
    steps: int


Then: TypeAlias = Callable[[int, npt.NDArray[np.uint8]], None]


def search(
    source: Source,
    parameters: ViterbiParameters,
    progress: Progress | None = None,
    workers: int | None = None,
    plain: bool = False,
    then: Then | None = None,
) -> npt.NDArray[np.uint8]:
    """:func:`search_all` of one *source*."""
    return search_all([source], parameters, progress, workers, plain, then)[0]


def search_all(
    sources: Sequence[Source],
    parameters: ViterbiParameters,
    progress: Progress | None = None,
    workers: int | None = None,
    plain: bool = False,
    then: Then | None = None,
) -> list[npt.NDArray[np.uint8]]:
    """The compressed bits for the gains of each of *sources*, whose blocks share lanes; see :func:`unprune.encode.viterbi.search`.

    With *plain* the general kernel does it even where the fast one could. *then* is called with the first step, and the bits, of
    consecutive whole blocks, in the thread that searched them, while their weights are still in that core's cache.
    """
    p, q = parameters.p, parameters.q
    steps = [-(-source.size // q) for source in sources]
    bits = [np.empty(count * p, np.uint8) for count in steps]
    size = parameters.block_steps << parameters.k
    check(size <= SPACE, "block_steps * 2**k", f"at most {SPACE} to be searched", size)
    peak, longest = max(source.peak for source in sources), min(parameters.block_steps, max(steps))
    fits = p == 1 and peak <= gains.LIMIT and fast.rebase_steps(parameters.k, peak * q) > 0
    count = threads(sum(source.size for source in sources), workers)
    kernels: list[Plain | Fast] = [(Fast if fits and not plain else Plain)(parameters, peak, longest) for _ in range(count)]
    batches = list(_batches(steps, parameters.block_steps, kernels[0].lanes))
    waiting, told = iter(batches), threading.Lock()  # whoever asks, a list's iterator gives each batch once

    def one(batch: Sequence[Piece], kernel: Plain | Fast) -> int:
        ends = np.zeros(kernel.lanes, np.int64)
        for piece in batch:
            lanes = slice(piece.lane, piece.lane + piece.lanes)
            sources[piece.source].load(piece.first * q, parameters.block_steps * q, kernel.rows[lanes])
            ends[lanes] = np.minimum(piece.steps - np.arange(piece.lanes) * parameters.block_steps, parameters.block_steps)
        kernel.rows[lanes.stop :] = 0
        found, done = kernel.run(ends), 0
        for piece in batch:
            target = bits[piece.source][piece.first * p : (piece.first + piece.steps) * p]
            target[:] = found[piece.lane : piece.lane + piece.lanes].ravel()[: target.size]
            done += min((piece.first + piece.steps) * q, sources[piece.source].size) - piece.first * q
            if then:
                then(piece.first, target)
        return done

    def work(kernel: Plain | Fast) -> None:
        """One batch after the other, without a word to the other threads: each would cost both the interpreter's lock."""
        try:
            for batch in waiting:
                done = one(batch, kernel)
                if progress:
                    with told:
                        progress(done)
        except BaseException:
            batches.clear()  # the others stop as well
            raise

    with ThreadPoolExecutor(count) as pool:
        others = [pool.submit(work, kernel) for kernel in kernels[1:]]
        work(kernels[0])
        for other in others:
            other.result()
    return bits


def _batches(steps: Sequence[int], block_steps: int, lanes: int) -> Iterator[list[Piece]]:
    """The blocks of all sources, of so many *steps* each, in batches of *lanes*."""
    batch: list[Piece] = []
    lane = 0
    for source, total in enumerate(steps):
        first = 0
        while first < total:
            count = min(lanes - lane, -(-(total - first) // block_steps))
            batch.append(Piece(source, lane, count, first, min(count * block_steps, total - first)))
            first, lane = first + count * block_steps, lane + count
            if lane == lanes:
                yield batch
                batch, lane = [], 0
    if batch:
        yield batch


class Plain:
    """Batches by ``trellis.search``: any parameters, any gains.

    Attributes:
        lanes: Blocks at once.
        rows: (lanes, weights), to be filled with the gains of each block and then 0.
    """

    def __init__(self, parameters: ViterbiParameters, peak: int, longest: int):
        self.parameters, self.sums = parameters, sums(parameters)
        self.lanes = min(LANES, SPACE // (parameters.block_steps << parameters.k))
        most = 3 * (peak * parameters.q * parameters.block_steps + 1)
        check(most < 1 << 63, "the sum of a block's gains", "below 2**61", most // 3)
        kind = np.int32 if most < 1 << 31 else np.int64
        states, lanes = 1 << parameters.k, self.lanes
        self.rows = np.empty((lanes, longest * parameters.q), kind)
        self.metrics, self.space = np.empty((2, states, lanes), kind), np.empty((self.sums.slots, lanes), kind)
        self.choices = np.empty((longest, states, lanes), np.uint8)
        self.found = np.empty((lanes, longest * parameters.p), np.uint8)

    def run(self, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """The bits of the blocks in ``rows``, a row for each; their steps are *ends*, 0 for a lane without a block."""
        k, p, q = self.parameters.k, self.parameters.p, self.parameters.q
        plan, choices = self.sums, self.choices[: ends.max()]
        trellis.search(self.rows, ends, plan.additions, plan.slot, q, k, p, self.metrics, self.space, choices, self.found)
        return self.found


class Fast:
    """Batches by ``fast.search``: p = 1 and small gains. Like :class:`Plain` but for its arguments' range."""

    lanes = simd.LANES

    def __init__(self, parameters: ViterbiParameters, peak: int, longest: int):
        self.parameters, self.sums = parameters, sums(parameters)
        self.slot = np.ascontiguousarray(self.sums.slot.reshape(2, 1 << parameters.k).T)
        self.mirrored = bool((self.slot[::2] == self.slot[1::2, ::-1]).all())
        self.rebase = fast.rebase_steps(parameters.k, peak * parameters.q)
        states = 1 << parameters.k
        self.rows = np.empty((self.lanes, -(-longest // 32) * 32 * parameters.q), np.int8)
        self.metrics, self.space = simd.aligned(2 * states), simd.aligned(self.sums.slots + 32 * parameters.q)
        self.choices = np.empty((longest, states), np.uint32)
        self.found = np.empty((self.lanes, longest), np.uint8)

    def run(self, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """See :meth:`Plain.run`."""
        k, q = self.parameters.k, self.parameters.q
        plan, choices = self.sums, self.choices[: ends.max()]
        fast.search(
            self.rows, q, ends, plan.additions, self.slot, self.mirrored, k, self.rebase, self.metrics, self.space, choices, self.found
        )
        return self.found
