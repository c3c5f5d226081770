"""Survivors straight from the compressed bits, up to 64 weights at a time, without writing out the mask.

A table gives the mask bits of several steps at once for every window that spans them. The survivors of a word of mask bits are found by
counting trailing zeros, so that what is pruned takes next to no time.
"""

import threading
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from golden.params.viterbi import ViterbiParameters
from unprune.encode import viterbi
from unprune.encode.compiled import compiled
from unprune.encode.sums import sums

WORD = 64
GROUP = 4  # survivors written at a time
TABLE_BITS = 13  # of a table's index: 64 KiB, which stays in a core's cache


class Gather(threading.local):
    """Gathers pieces of one layer; each thread has working space of its own, which serves all its pieces.

    Args:
        size: Weights of the longest piece.
        kind: Their type.
    """

    def __init__(self, parameters: ViterbiParameters, size: int, kind: npt.DTypeLike):
        self._parameters = parameters
        self._padded = np.empty((parameters.block_steps + WORD) * parameters.p, np.uint8)
        self._out = np.empty(size + GROUP, kind)

    def __call__(self, values: npt.NDArray[Any], bits: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Those of flat *values* that the compressed *bits* keep; the first bit begins a block."""
        parameters = self._parameters
        k, p, q = parameters.k, parameters.p, parameters.q
        if q > WORD:
            return values[viterbi.decompress(bits, values.size, parameters).view(np.bool_)]
        steps, table = _table(parameters)
        count = _gather(values, bits, table, steps, q, k, p, parameters.block_steps, self._padded, self._out)
        return self._out[:count].copy()


@lru_cache(maxsize=8)
def _table(parameters: ViterbiParameters) -> tuple[int, npt.NDArray[np.uint64]]:
    """Steps to look up at once, and the mask bits of so many steps, the first in bit 0, for every window that they span."""
    k, p, q = parameters.k, parameters.p, parameters.q
    steps = max(1, min(WORD // q, (TABLE_BITS - k) // p))
    weights = np.uint64(1) << np.arange(q, dtype=np.uint64)
    one = (sums(parameters).masks * weights).sum(axis=1, dtype=np.uint64)
    windows = np.arange(1 << k + steps * p)
    table = np.zeros(windows.size, np.uint64)
    for step in range(steps):
        table |= one[windows >> (steps - 1 - step) * p & (1 << k + p) - 1] << np.uint64(step * q)
    return steps, table


def _count_trailing_zeros(_typing: Any, _word: Any) -> Any:
    """The number of zeros below the lowest 1 of a word; 64 where there is none."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


_trailing_zeros: Any = intrinsic(_count_trailing_zeros)


@compiled
def _gather(values: Any, bits: Any, table: Any, steps: int, q: int, k: int, p: int, block_steps: int, padded: Any, out: Any) -> np.uint64:
    """See :class:`Gather`; returns how many values are kept, and writes up to ``GROUP`` past them."""
    total = (values.size + q - 1) // q
    one, last = np.uint64(1), np.uint64(WORD - 1)
    turns, span, fresh = np.uint64(WORD // (steps * q)), np.uint64(steps * q), np.uint64(steps * p)
    spanned = np.uint64((1 << k + steps * p) - 1)
    count = np.uint64(0)
    for start in range(0, total, block_steps):
        have = min(block_steps, total - start)
        piece = values[start * q : (start + have) * q]
        padded[: have * p] = bits[start * p : (start + have) * p]
        padded[have * p :] = 0
        window, at = np.uint64(0), np.uint64(0)
        for base in range(np.uint64(0), np.uint64(piece.size), turns * span):
            word = np.uint64(0)
            for turn in range(turns):
                for i in range(fresh):
                    window = window << one | np.uint64(padded[at + i])
                at += fresh
                word |= table[window & spanned] << turn * span
            left = np.uint64(piece.size) - base
            if left < np.uint64(WORD):
                word &= (one << left) - one
            while word:  # some more than there are cost less than a loop that ends after an unforeseen number of turns
                for _ in range(GROUP):
                    out[count] = piece[base + (_trailing_zeros(word) & last)]
                    count += np.uint64(word != 0)
                    word &= word - one
    return count
