"""Integer gains from float weights: what the trellis search maximises, by one stated rule, so that every encoder finds the same mask.

A gain is positive where a survivor is wanted and negative where none is; it stands for the weight if its mask bit is 1 and counts
nothing if it is 0. All arithmetic is IEEE double precision in the order written here; rounding is to nearest, ties to even.

Source of the tanh gain: Lee et al., "Viterbi-based pruning for sparse matrix with fixed and high index compression ratio", ICLR 2018
(S1 is *slope*, S2 is :data:`LIMIT`, TH is *threshold*).
"""

import math
from collections.abc import Iterable

LIMIT = 127  # gains lie between -LIMIT and LIMIT


def magnitudes(weights: Iterable[float]) -> list[float]:
    """The absolute values of *weights*; ``ValueError`` when one is not finite."""
    absolute = [abs(float(weight)) for weight in weights]
    wrong = sum(not math.isfinite(value) for value in absolute)
    if wrong:
        raise ValueError(f"weights must be finite, {wrong} of {len(absolute)} are NaN or infinite")
    return absolute


def peak(low: float, high: float, threshold: float) -> float:
    """The gain ``|w| - threshold`` that becomes :data:`LIMIT`, for a layer whose magnitudes lie between *low* and *high*.

    It is the largest absolute gain, but no more than 7 times a positive threshold: otherwise one outlier would coarsen all others.
    """
    largest = max(abs(low - threshold), abs(high - threshold))
    return min(largest, 7 * threshold) if threshold > 0 else largest


def scale(peak: float) -> float:
    """The factor that takes a gain of *peak* to :data:`LIMIT`; 0 where *peak* is 0 or too small to divide by."""
    return LIMIT / peak if peak > 1e-300 else 0.0


def linear(weights: Iterable[float], threshold: float) -> list[int]:
    """``|w| - threshold`` for each weight, at most :func:`peak`, scaled so that the peak becomes :data:`LIMIT`, and rounded.

    Args:
        weights: All weights of a layer.
        threshold: The magnitude that is neither worth keeping nor pruning, in the unit of the weights.
    """
    absolute = magnitudes(weights)
    most = peak(min(absolute, default=0.0), max(absolute, default=0.0), threshold)
    factor = scale(most)
    return [round(min(magnitude - threshold, most) * factor) for magnitude in absolute]


def tanh(weights: Iterable[float], threshold: float, slope: float = 5.0) -> list[int]:
    """``LIMIT * tanh(slope * (|w| / max|w| - threshold))`` for each weight, rounded: large weights are all worth about the same.

    Args:
        weights: All weights of a layer.
        threshold: As in :func:`linear`, but as a fraction of the layer's largest magnitude.
        slope: How fast the gain saturates.
    """
    absolute = magnitudes(weights)
    largest = max(absolute, default=0.0) or 1.0
    return [round(LIMIT * math.tanh(slope * (magnitude / largest - threshold))) for magnitude in absolute]
