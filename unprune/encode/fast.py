"""The trellis search for one compressed bit a step (p = 1) and metrics of 16 bits: 32 blocks in lockstep, decisions packed.

Metrics are rebased to state 0's before they can overflow. With A the largest sum of absolute gains of a step, two states never differ by
more than k * A, since every state can be reached from every other in k steps; so after a rebase all metrics lie within k * A of 0, and
R steps later within (k + R) * A. In the first k steps only the states that state 0 leads to are extended.
"""

from typing import Any

import numpy as np

from unprune.encode import simd
from unprune.encode.compiled import compiled

LIMIT = (1 << 15) - 1


def rebase_steps(k: int, most: int) -> int:
    """Steps from one rebase to the next where a step's absolute gains sum to *most* at most; 0 when 16 bits are too few."""
    return LIMIT // max(most, 1) - k


@compiled
def search(
    rows: Any,
    q: int,
    ends: Any,
    additions: Any,
    slot: Any,
    mirrored: bool,
    k: int,
    rebase: int,
    metrics: Any,
    sums: Any,
    choices: Any,
    bits: Any,
) -> None:
    """The compressed bits of one batch of 32 blocks.

    Args:
        rows: (32, n) int8, the gains of each block and then 0; n is a multiple of 32 * q.
        ends: (32,), the steps of each block; 0 for a lane without a block.
        additions: As in ``Sums``.
        slot: (2**k, 2), as in ``Sums`` but for each target state: that of its window from the lower and from the upper predecessor.
        mirrored: The two windows into an even state have the sums of those into the odd state after it, swapped.
        rebase: What :func:`rebase_steps` gives, at least 1.
        metrics: (2 * 2**k, 32) int16, aligned, working space.
        sums: (slots + 32 * q, 32) int16, aligned, working space.
        choices: (steps, 2**k) uint32, working space.
        bits: (32, steps) uint8, the result; untouched past the end of a block.
    """
    steps = choices.shape[0]
    states = 1 << k
    state = ends.copy()
    stops = np.zeros(steps, np.bool_)
    for end in ends:
        stops[max(end - 1, 0)] = True
    gains = sums[sums.shape[0] - 32 * q :]
    metrics[0] = 0
    sums[0] = 0
    halves = (metrics[:states], metrics[states:])
    for step in range(steps):
        if step % 32 == 0:
            for j in range(q):
                simd.transpose(gains.ctypes.data + 64 * 32 * j, rows.ctypes.data + step * q + 32 * j, rows.shape[1])
        old, new = halves[step % 2], halves[1 - step % 2]
        add_up(gains[step % 32 * q : (step % 32 + 1) * q], additions, sums)
        reached = min(2 << step, states) if step < k else states
        if step < k:
            spread(old, new, sums, slot, choices[step], reached)
        else:
            extend(old, new, sums, slot, mirrored, choices[step])
        if step % rebase == rebase - 1:
            shift(new, sums)
        if stops[step]:
            for lane in range(32):
                if ends[lane] == step + 1:
                    state[lane] = best(new, lane, reached)
    trace(choices, ends, state, k, bits)


@compiled
def add_up(gains: Any, additions: Any, sums: Any) -> None:
    """All slots of a step."""
    q = gains.shape[0]
    base = sums.ctypes.data
    for j in range(q):
        simd.copy(base + (1 + j) * 64, gains.ctypes.data + j * 64)
    for i in range(additions.shape[0]):
        simd.add(base + (1 + q + i) * 64, base + additions[i, 0] * 64, base + additions[i, 1] * 64)


@compiled
def spread(old: Any, new: Any, sums: Any, slot: Any, choices: Any, reached: int) -> None:
    """A step to states that have one predecessor so far, the lower."""
    for target in range(reached):
        simd.add(new.ctypes.data + target * 64, old.ctypes.data + (target >> 1) * 64, sums.ctypes.data + slot[target, 0] * 64)
        choices[target] = 0


@compiled
def extend(old: Any, new: Any, sums: Any, slot: Any, mirrored: bool, choices: Any) -> None:
    """A step to all states."""
    half = old.shape[0] // 2
    low, base, target, choice = old.ctypes.data, sums.ctypes.data, new.ctypes.data, choices.ctypes.data
    high = low + half * 64
    for i in range(half):
        even_low, odd_low = base + slot[2 * i, 0] * 64, base + slot[2 * i + 1, 0] * 64
        if mirrored:
            even_high, odd_high = odd_low, even_low
        else:
            even_high, odd_high = base + slot[2 * i, 1] * 64, base + slot[2 * i + 1, 1] * 64
        simd.butterfly(target + i * 128, choice + i * 8, low + i * 64, high + i * 64, even_low, odd_low, even_high, odd_high)


@compiled
def shift(metrics: Any, sums: Any) -> None:
    """Subtract the metric of state 0 from all; slot 0 is borrowed for it."""
    sums[0] = metrics[0]
    for state in range(metrics.shape[0]):
        simd.subtract(metrics.ctypes.data + state * 64, metrics.ctypes.data + state * 64, sums.ctypes.data)
    sums[0] = 0


@compiled
def best(metrics: Any, lane: int, reached: int) -> int:
    """The state below *reached* with the highest metric in *lane*, the lowest of equal ones."""
    found = 0
    for state in range(1, reached):
        if metrics[state, lane] > metrics[found, lane]:
            found = state
    return found


@compiled
def trace(choices: Any, ends: Any, state: Any, k: int, bits: Any) -> None:
    """From each lane's last *state* back to its first step, noting the newest bit of every state passed."""
    for step in range(choices.shape[0] - 1, -1, -1):
        row = choices[step]
        for lane in range(32):
            if step < ends[lane]:
                now = state[lane]
                bits[lane, step] = now & 1
                state[lane] = now >> 1 | (row[now] >> lane & 1) << (k - 1)
