"""Trellis search in compiled Python, many blocks side by side: any k, p, q and any gains, the same bits as ``golden.viterbi``.

Blocks are lanes: the innermost index of every array is the block, so that one vector instruction serves many blocks.
"""

import math
from typing import Any

import numpy as np

from unprune.encode import simd
from unprune.encode.compiled import compiled


@compiled
def extremes(patterns: Any, sign: int) -> Any:
    """The least and the greatest of the integers *patterns* AND *sign*; *sign* and 0 where there are none."""
    low, high = np.int64(sign), np.int64(0)
    for i in range(patterns.size):
        magnitude = np.int64(patterns[i]) & sign
        low, high = min(low, magnitude), max(high, magnitude)
    return low, high


@compiled
def load(gains: Any, first: int, block: int, out: Any) -> None:
    """Cut *gains* into rows: ``out[lane, i]`` is gain ``first + lane * block + i`` for i below *block*, and 0 past that or the end."""
    for lane in range(out.shape[0]):
        piece, row = gains[first + lane * block : first + (lane + 1) * block], out[lane]  # so cut, LLVM makes vectors of the loops
        row[piece.size :] = 0
        for i in range(piece.size):
            row[i] = piece[i]


@compiled
def load_linear(weights: Any, threshold: float, peak: float, factor: float, first: int, block: int, out: Any) -> None:
    """As :func:`load`, with the gains of ``golden.gains.linear``; *peak* and *factor* are the layer's ``peak`` and ``scale``."""
    for lane in range(out.shape[0]):
        piece, row = weights[first + lane * block : first + (lane + 1) * block], out[lane]
        row[piece.size :] = 0
        for i in range(piece.size):
            gain = abs(np.float64(piece[i])) - threshold
            row[i] = np.int32(np.rint((gain if gain < peak else peak) * factor))


@compiled
def load_tanh(weights: Any, threshold: float, slope: float, peak: float, limit: int, first: int, block: int, out: Any) -> None:
    """As :func:`load`, with the gains of ``golden.gains.tanh``; *peak* is the layer's largest magnitude, or 1."""
    for lane in range(out.shape[0]):
        piece, row = weights[first + lane * block : first + (lane + 1) * block], out[lane]
        row[piece.size :] = 0
        for i in range(piece.size):
            row[i] = np.int32(np.rint(limit * math.tanh(slope * (abs(np.float64(piece[i])) / peak - threshold))))


@compiled
def search(
    gains: Any, ends: Any, additions: Any, slot: Any, q: int, k: int, p: int, metrics: Any, sums: Any, choices: Any, bits: Any
) -> None:
    """The compressed bits of one batch of blocks.

    Args:
        gains: (lanes, steps * q), as :func:`load` gives them.
        ends: (lanes,), the steps of each block; 0 for a lane without a block.
        additions, slot: The fields of :class:`unprune.encode.sums.Sums`.
        metrics: (2, 2**k, lanes), working space of a type that holds three times the sum of absolute gains of any block.
        sums: (slots, lanes), working space of the same type.
        choices: (steps, 2**k, lanes) uint8, working space.
        bits: (lanes, steps * p) uint8, the result; untouched past the end of a block.
    """
    steps, states, lanes = choices.shape
    state = ends.copy()
    forbid(gains, metrics, sums)
    sums[0] = 0
    for step in range(steps):
        old, new = metrics[step % 2], metrics[1 - step % 2]
        for j in range(q):
            for lane in range(lanes):
                sums[1 + j, lane] = gains[lane, step * q + j]
        for i in range(additions.shape[0]):
            a, b = additions[i, 0], additions[i, 1]
            for lane in range(lanes):
                sums[1 + q + i, lane] = sums[a, lane] + sums[b, lane]
        for target in range(states):
            extend(old, new[target], sums, slot, choices[step, target], target, k, p)
        for lane in range(lanes):
            if ends[lane] == step + 1:
                state[lane] = best(new, lane)
    for step in range(steps - 1, -1, -1):
        for lane in range(lanes):
            if step < ends[lane]:
                window = state[lane] + (choices[step, state[lane], lane] << k)
                for i in range(p):
                    bits[lane, step * p + i] = window >> (p - 1 - i) & 1
                state[lane] = window >> p


@compiled
def forbid(gains: Any, metrics: Any, sums: Any) -> None:
    """Metrics before the first step: 0 for state 0, and for the others so little that no path from them ever catches up."""
    for lane in range(gains.shape[0]):
        sums[0, lane] = 1
        for gain in gains[lane]:
            sums[0, lane] += abs(gain)
        metrics[0, :, lane] = -sums[0, lane]
    metrics[0, 0] = 0


@compiled
def extend(old: Any, new: Any, sums: Any, slot: Any, choice: Any, target: int, k: int, p: int) -> None:
    """The best of the ``2**p`` windows that lead to *target*, the lowest of equal ones, in all lanes: its metric and its upper bits."""
    lanes = new.size
    for upper in range(1 << p):
        window = target + (upper << k)
        before, gain = old[window >> p], sums[slot[window]]
        if upper == 0:
            for lane in range(lanes):
                new[lane] = before[lane] + gain[lane]
                choice[lane] = 0
        else:
            for lane in range(lanes):
                metric = before[lane] + gain[lane]
                better = metric > new[lane]
                new[lane] = metric if better else new[lane]
                choice[lane] = upper if better else choice[lane]


@compiled
def best(metrics: Any, lane: int) -> int:
    """The state with the highest metric in *lane*, the lowest of equal ones."""
    found = 0
    for state in range(1, metrics.shape[0]):
        if metrics[state, lane] > metrics[found, lane]:
            found = state
    return found


@compiled
def survivors(bits: Any, counts: Any, k: int, p: int, block_steps: int, tail: Any, out: Any) -> None:
    """Survivors of each block, into *out*; *counts* holds those of a step for every window, *tail* those of the layer's last step."""
    steps = bits.size // p
    window = 0
    for block in range(out.size):
        window, total = 0, 0
        for step in range(block * block_steps, min((block + 1) * block_steps, steps)):
            for i in range(p):
                window = (window << 1 | bits[step * p + i]) & (1 << k + p) - 1
            total += counts[window]
        out[block] = total
    if steps:
        out[-1] += tail[window] - counts[window]


@compiled
def decompress(bits: Any, words: Any, q: int, k: int, p: int, block_steps: int, out: Any) -> None:
    """The mask bits that *bits* (uint8, p a step) stand for, into *out* (uint8, one a weight).

    ``words[window]`` (uint64) holds the window's q mask bits, a byte each, padded to whole words. The padding is written too, and then
    overwritten by the step after, so that every step takes the same few stores.
    """
    width = words.shape[1]
    steps = (out.size + q - 1) // q
    for start in range(0, steps, block_steps):
        window = 0
        for step in range(start, min(start + block_steps, steps)):
            for i in range(p):
                window = (window << 1 | bits[step * p + i]) & (1 << k + p) - 1
            if step * q + width * 8 <= out.size:
                for i in range(width):
                    simd.store_word(out.ctypes.data + step * q + i * 8, words[window, i])
            else:
                for j in range(min(q, out.size - step * q)):
                    out[step * q + j] = words[window, j // 8] >> np.uint64(j % 8 * 8) & np.uint64(1)


@compiled
def pick(values: Any, mask: Any, out: Any) -> int:
    """Those of *values* where *mask* is 1, to the front of *out*, which is one longer than they are; returns how many they are."""
    count = 0
    for i in range(values.size):
        out[count] = values[i]
        count += mask[i]
    return count
