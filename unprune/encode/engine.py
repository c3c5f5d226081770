"""Runs a trellis search over a whole layer: blocks into batches of lanes, batches onto threads, gains made batch by batch.

Working space is a constant per thread, whatever the layer's size.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

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


def search(
    source: Source,
    parameters: ViterbiParameters,
    progress: Progress | None = None,
    workers: int | None = None,
    plain: bool = False,
    then: Callable[[int, npt.NDArray[np.uint8]], None] | None = None,
) -> npt.NDArray[np.uint8]:
    """The compressed bits for the gains of *source*; see :func:`unprune.encode.viterbi.search`.

    With *plain* the general kernel does it even where the fast one could. *then* is called with the first step, and the bits, of every
    batch of whole blocks, in the thread that searched it, while its weights are still in that core's cache.
    """
    p, q = parameters.p, parameters.q
    steps = -(-source.size // q)
    bits = np.empty(steps * p, np.uint8)
    size = parameters.block_steps << parameters.k
    check(size <= SPACE, "block_steps * 2**k", f"at most {SPACE} to be searched", size)
    fits = p == 1 and source.peak <= gains.LIMIT and fast.rebase_steps(parameters.k, source.peak * q) > 0
    count = threads(source.size, workers)
    kernels: SimpleQueue[Plain | Fast] = SimpleQueue()
    for _ in range(count):
        kernels.put(kernel := (Fast if fits and not plain else Plain)(source, parameters))
    batch = kernel.lanes * parameters.block_steps

    def one(first: int) -> int:
        kernel = kernels.get()
        last = min(first + batch, steps)
        kernel.run(first, bits[first * p : last * p])
        kernels.put(kernel)
        if then:
            then(first, bits[first * p : last * p])
        return min(last * q, source.size) - first * q

    firsts = range(0, steps, batch)
    with ThreadPoolExecutor(count) as pool:
        for done in map(one, firsts) if count == 1 else pool.map(one, firsts):
            if progress:
                progress(done)
    return bits


class Plain:
    """Batches by ``trellis.search``: any parameters, any gains."""

    def __init__(self, source: Source, parameters: ViterbiParameters):
        self.source, self.parameters, self.sums = source, parameters, sums(parameters)
        self.lanes = min(LANES, SPACE // (parameters.block_steps << parameters.k))
        most = 3 * (source.peak * parameters.q * parameters.block_steps + 1)
        check(most < 1 << 63, "the sum of a block's gains", "below 2**61", most // 3)
        kind = np.int32 if most < 1 << 31 else np.int64
        steps, states, lanes = _longest(source, parameters), 1 << parameters.k, self.lanes
        self.rows = np.empty((lanes, steps * parameters.q), kind)
        self.metrics, self.space = np.empty((2, states, lanes), kind), np.empty((self.sums.slots, lanes), kind)
        self.choices = np.empty((steps, states, lanes), np.uint8)
        self.found = np.empty((lanes, steps * parameters.p), np.uint8)

    def run(self, first: int, bits: npt.NDArray[np.uint8]) -> None:
        """Search the blocks from step *first* on for as many *bits* as are wanted."""
        k, p, q, block_steps = self.parameters.k, self.parameters.p, self.parameters.q, self.parameters.block_steps
        ends = _ends(len(bits) // p, self.lanes, block_steps)
        self.source.load(first * q, block_steps * q, self.rows)
        plan, choices = self.sums, self.choices[: ends[0]]
        trellis.search(self.rows, ends, plan.additions, plan.slot, q, k, p, self.metrics, self.space, choices, self.found)
        bits[:] = self.found.ravel()[: len(bits)]


class Fast:
    """Batches by ``fast.search``: p = 1 and small gains."""

    lanes = simd.LANES

    def __init__(self, source: Source, parameters: ViterbiParameters):
        self.source, self.parameters, self.sums = source, parameters, sums(parameters)
        self.slot = np.ascontiguousarray(self.sums.slot.reshape(2, 1 << parameters.k).T)
        self.mirrored = bool((self.slot[::2] == self.slot[1::2, ::-1]).all())
        self.rebase = fast.rebase_steps(parameters.k, source.peak * parameters.q)
        steps, states = _longest(source, parameters), 1 << parameters.k
        self.rows = np.empty((self.lanes, -(-steps // 32) * 32 * parameters.q), np.int8)
        self.metrics, self.space = simd.aligned(2 * states), simd.aligned(self.sums.slots + 32 * parameters.q)
        self.choices = np.empty((steps, states), np.uint32)
        self.found = np.empty((self.lanes, steps), np.uint8)

    def run(self, first: int, bits: npt.NDArray[np.uint8]) -> None:
        """Search the blocks from step *first* on for as many *bits* as are wanted."""
        k, q, block_steps = self.parameters.k, self.parameters.q, self.parameters.block_steps
        ends = _ends(len(bits), self.lanes, block_steps)
        self.source.load(first * q, block_steps * q, self.rows)
        plan, choices = self.sums, self.choices[: ends[0]]
        fast.search(
            self.rows, q, ends, plan.additions, self.slot, self.mirrored, k, self.rebase, self.metrics, self.space, choices, self.found
        )
        bits[:] = self.found.ravel()[: len(bits)]


def _longest(source: Source, parameters: ViterbiParameters) -> int:
    """Steps of the longest block."""
    return min(parameters.block_steps, -(-source.size // parameters.q))


def _ends(steps: int, lanes: int, block_steps: int) -> npt.NDArray[np.int64]:
    """Steps of each lane's block where *steps* are left."""
    return np.clip(steps - np.arange(lanes) * block_steps, 0, block_steps)
