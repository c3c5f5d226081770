"""Density on demand: the threshold of the gain that makes the search keep as many weights as wanted.

A larger threshold keeps fewer. It is found on a sample of the layer's blocks, then moved on the whole layer until two thresholds
bracket the wanted count. Blocks decode alone, so the rest is met by taking some blocks from one of the two searches and some from
the other.
"""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden.params.viterbi import ViterbiParameters
from unprune.encode import engine, trellis
from unprune.encode.base import Progress
from unprune.encode.sums import sums

SAMPLE_BLOCKS = 64
TOLERANCE = 0.0002  # of the density, within which one search is enough
SEARCHES = 14
MOST_TOGETHER = 8  # thresholds tried side by side, where a layer is small enough
FAR = 2.0  # factor between wanted and natural density from which the user is warned

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Trial:
    """What one threshold gave: compressed bits and the survivors of each block."""

    threshold: float
    bits: npt.NDArray[np.uint8]
    kept: npt.NDArray[np.int64]

    @property
    def total(self) -> int:
        """Survivors of all blocks."""
        return int(self.kept.sum())


@dataclass(frozen=True)
class Layer:
    """What all searches of a layer share; magnitudes lie between *low* and *high*."""

    parameters: ViterbiParameters
    gain: str
    low: float
    high: float
    workers: int | None

    @property
    def unit(self) -> float:
        """The largest magnitude in the unit of thresholds; 1 where it is 0."""
        return 1.0 if self.gain == "tanh" else self.high or 1.0

    def start(self, weights: Floats, density: float) -> float:
        """The threshold of magnitude pruning."""
        return float(np.quantile(np.abs(weights).astype(np.float64), 1 - density)) * self.unit / (self.high or 1.0)

    def run(self, weights: Floats, thresholds: Sequence[float], progress: Progress | None) -> list[Trial]:
        """Searches of *weights*, which are the layer's or some of them, at several *thresholds* side by side."""
        sources: list[engine.Source] = []
        for threshold in thresholds:
            tanh = self.gain == "tanh"
            sources.append(engine.Tanh(weights, threshold, self.high) if tanh else engine.Linear(weights, threshold, self.low, self.high))
        found = engine.search_all(sources, self.parameters, progress, self.workers)
        kept = (survivors(bits, weights.size, self.parameters) for bits in found)
        return [Trial(*trial) for trial in zip(thresholds, found, kept, strict=True)]

    def meet(self, weights: Floats, density: float, start: float, step: float, progress: Progress | None) -> tuple[Trial, Trial]:
        """Two trials that :func:`bracket` the density; only the first of their searches reports progress."""
        blocks = -(-weights.size // (self.parameters.block_steps * self.parameters.q))
        together = max(1, min(engine.LANES // max(blocks, 1), MOST_TOGETHER))
        reports = iter([progress])
        run = lambda thresholds: self.run(weights, thresholds, next(reports, None))  # noqa: E731
        return bracket(run, density * weights.size, start, step, self.unit, weights.size * TOLERANCE, together)


def meet(
    weights: Floats, density: float, parameters: ViterbiParameters, gain: str, progress: Progress | None, workers: int | None
) -> npt.NDArray[np.uint8]:
    """The compressed bits for flat *weights* (float32 or float64); see :func:`unprune.encode.viterbi.choose`."""
    low, high = extremes(weights, engine.threads(weights.size, workers))
    if not weights.size:
        return np.empty(0, np.uint8)
    if not parameters.density / FAR <= density <= parameters.density * FAR:
        warnings.warn(
            f"{parameters.name} keeps about {parameters.density:.3g} of all weights by its nature; {density:.3g} is far from that and "
            f"costs magnitude. Take a comparator with threshold / 2**comparator near {density:.3g}",
            stacklevel=3,
        )
    layer = Layer(parameters, gain, low, high, workers)
    block = parameters.block_steps * parameters.q
    sample = _sample(weights, block)
    start = layer.start(sample, density)
    whole = sample.size == weights.size
    above, below = layer.meet(sample, density, start, 0.1 * start or 0.1 * layer.unit, progress if whole else None)
    if not whole:
        start, step = _between(above, below, density * sample.size)
        above, below = layer.meet(weights, density, start, step, progress)
    return _splice(above, below, density * weights.size, parameters.block_steps * parameters.p)


def extremes(weights: Floats, workers: int = 1) -> tuple[float, float]:
    """The lowest and the highest magnitude of flat *weights*, infinity and 0 where there are none.

    Raises:
        ValueError: A weight is NaN or infinite.
    """
    kind = np.dtype(f"i{weights.itemsize}")  # without their sign floats sort like the integers of the same bits, NaN last
    infinity, sign = np.array(np.inf, weights.dtype).view(kind)[()], np.iinfo(kind).max
    pieces = np.array_split(weights.view(kind), workers)
    with ThreadPoolExecutor(workers) as pool:
        found = list((map if workers == 1 else pool.map)(lambda piece: trellis.extremes(piece, sign), pieces))
    low, high = min(infinity, *(part[0] for part in found)), max(part[1] for part in found)
    if high >= infinity:
        wrong = weights.size - int(np.count_nonzero(np.isfinite(weights)))
        raise ValueError(f"weights must be finite, {wrong} of {weights.size} are NaN or infinite")
    lowest, highest = np.array([low, high], kind).view(weights.dtype).tolist()
    return lowest, highest


def survivors(bits: npt.NDArray[np.uint8], size: int, parameters: ViterbiParameters) -> npt.NDArray[np.int64]:
    """Survivors of each block of a layer of *size* weights."""
    masks, q = sums(parameters).masks, parameters.q
    counts = masks.sum(axis=1, dtype=np.int64)
    tail = masks[:, : size % q or q].sum(axis=1, dtype=np.int64)
    kept = np.empty(-(-size // (parameters.block_steps * q)), np.int64)
    trellis.survivors(bits, counts, parameters.k, parameters.p, parameters.block_steps, tail, kept)
    return kept


def bracket(
    run: Callable[[Sequence[float]], Sequence[Trial]],
    target: float,
    start: float,
    step: float,
    unit: float,
    tolerance: float,
    together: int,
) -> tuple[Trial, Trial]:
    """Two trials, the first with at least and the second with at most *target* survivors, as near as a few searches get.

    They are the same one where it is within *tolerance*, and where even thresholds of -2 or 2 times *unit* stay on one side. *run* is
    asked for *together* thresholds at once.
    """
    above: Trial | None = None
    below: Trial | None = None
    thresholds = [start]
    for _ in range(SEARCHES):
        for trial in run(thresholds):
            if abs(trial.total - target) <= tolerance:
                return trial, trial
            if trial.total > target:
                above = trial if above is None or trial.threshold > above.threshold else above
            else:
                below = trial if below is None or trial.threshold < below.threshold else below
        if above and below:
            if (above.total - below.total) <= 2 * tolerance or below.threshold - above.threshold < 1e-4 * unit:
                break
            thresholds = _inside(above, below, target, together)
        elif abs(thresholds[-1]) >= 2 * unit:
            break
        else:
            reach = [step * ((2 << i) - 1) for i in range(together)]
            ahead = (thresholds[-1] + (far if above else -far) for far in reach)
            thresholds = [min(max(threshold, -2 * unit), 2 * unit) for threshold in ahead]
            step *= 1 << together
    found = above or below
    assert found
    return above or found, below or found


def _inside(above: Trial, below: Trial, target: float, count: int) -> list[float]:
    """*count* thresholds between two trials: for one where a straight line meets *target*, else evenly spread."""
    if count == 1:
        return [_between(above, below, target)[0]]
    width = below.threshold - above.threshold
    return [above.threshold + width * (i + 1) / (count + 1) for i in range(count)]


def _between(above: Trial, below: Trial, target: float) -> tuple[float, float]:
    """The threshold between two trials at which a straight line meets *target*, and how far the next one is worth trying."""
    width = below.threshold - above.threshold
    if not width:
        return above.threshold, 0.01 * abs(above.threshold)
    share = (above.total - target) / (above.total - below.total)
    return above.threshold + min(max(share, 0.1), 0.9) * width, 0.1 * width


def _sample(weights: npt.NDArray[Any], block: int) -> npt.NDArray[Any]:
    """``SAMPLE_BLOCKS`` blocks spread evenly over *weights*; all of them when there are few more."""
    blocks = -(-weights.size // block)
    if blocks <= 2 * SAMPLE_BLOCKS:
        return weights
    starts = np.linspace(0, blocks - 2, SAMPLE_BLOCKS).astype(int) * block
    return np.concatenate([weights[start : start + block] for start in starts])


def _splice(above: Trial, below: Trial, target: float, block_bits: int) -> npt.NDArray[np.uint8]:
    """Bits of *above* with as many blocks of *below*, spread over the layer, as bring the count nearest to *target*."""
    order = np.argsort(np.arange(above.kept.size) * 0.6180339887498949 % 1, kind="stable")
    totals = above.total - np.concatenate([[0], np.cumsum((above.kept - below.kept)[order])])
    taken = order[: int(np.argmin(np.abs(totals - target)))]
    bits = above.bits.copy()
    for block in taken:
        piece = slice(block * block_bits, (block + 1) * block_bits)
        bits[piece] = below.bits[piece]
    return bits
