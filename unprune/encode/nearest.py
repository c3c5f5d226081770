"""The trellis search of the bit-plane code for one block: eight planes in lockstep, as lanes of 32 bits.

The outputs are linear, so those of window h * 2**k + t are H[h] ^ T[t], and only the n care bits of a step count. The best way into t is
therefore min over h of metric[h] + distance(H[h], T[t] ^ wanted): a nearest-point question in the n-cube. Where n is small it is answered
for all points of the cube at once, relaxing one dimension after the other: n * 2**(n - 1) comparisons, where trying all branches takes
2**p for every state. Where n is large, all are tried. The lanes of a step share its care bits, so H and T serve eight planes.

A metric is mismatches * 256; the low byte of a candidate is h, so that the smallest candidate is the one with the fewest mismatches and,
of those, the lowest window.
"""

from typing import Any

import numpy as np

from unprune.encode.compiled import compiled
from unprune.encode.lanes import BYTES, LANES, move, nearer, offer, relax, start

FAR = np.uint32(1 << 31)  # more than any metric; a block's metrics stay below 2**30


@compiled
def search(values: Any, mask: Any, plane: int, taps: Any, k: int, p: int, words: Any) -> None:
    """The inputs of one block for planes *plane* to *plane* + 7.

    Args:
        values: (n,) uint32, the block's weights.
        mask: (n,) bool.
        taps: (q,) int64.
        words: (8, steps) uint8, the result: the p input bits of each step, the first highest.
    """
    q, steps, states = len(taps), words.shape[1], 1 << k
    targets = 1 << min(k, p)
    metrics = np.full((2, states, LANES), FAR, np.uint32)
    metrics[0, 0] = 0
    choices = np.empty((steps, states, LANES), np.uint8)
    cares, columns = np.empty(q, np.int64), np.empty((k + p, 8), np.uint32)
    wanted = np.empty((8, LANES), np.uint32)
    into, out, rest = np.empty((1 << p, 8), np.uint32), np.empty((targets, 8), np.uint32), np.empty((states // targets, 8), np.uint32)
    limit = 1  # care bits up to which the cube is cheaper
    while limit < 16 and (limit + 1) << limit <= targets << p:
        limit += 1
    cube, scratch = np.empty((1 << limit, LANES), np.uint32), np.empty((2, LANES), np.uint32)
    for step in range(steps):
        n = 0
        for j in range(min(q, len(mask) - step * q)):
            if mask[step * q + j]:
                cares[n] = j
                n += 1
        chunks = max((n + 31) // 32, 1)
        look(values, step * q, plane, cares, n, taps, wanted, columns)
        span(columns[k:], into, chunks)
        span(columns[: min(k, p)], out, chunks)
        span(columns[p : max(k, p)], rest, chunks)
        old, new = metrics[step % 2], metrics[1 - step % 2]
        for low in range(states // targets):
            if n <= limit:
                transform(old, new, choices[step], low, n, into, out, rest[low, 0], wanted, cube)
            else:
                scan(old, new, choices[step], low, chunks, into, out, rest[low], wanted, scratch)
    trace(metrics[steps % 2], choices, k, p, words)


@compiled
def look(values: Any, start: int, plane: int, cares: Any, n: int, taps: Any, wanted: Any, columns: Any) -> None:
    """The *wanted* care bits of each lane and, for each window bit, the care bits that it flips; both in chunks of 32."""
    wanted[:] = 0
    columns[:] = 0
    for i in range(n):
        value, tap, chunk, place = values[start + cares[i]] >> np.uint32(plane), taps[cares[i]], i >> 5, np.uint32(i & 31)
        for lane in range(LANES):
            wanted[chunk, lane] |= (value >> np.uint32(lane) & np.uint32(1)) << place
        for bit in range(len(columns)):
            columns[bit, chunk] |= np.uint32(tap >> bit & 1) << place


@compiled
def span(columns: Any, sums: Any, chunks: int) -> None:
    """All XORs of *columns*: ``sums[i]`` is that of the columns whose bit is set in i."""
    for chunk in range(chunks):
        sums[0, chunk] = 0
        for bit in range(len(columns)):
            for i in range(1 << bit):
                sums[i + (1 << bit), chunk] = sums[i, chunk] ^ columns[bit, chunk]


@compiled
def state_before(h: int, low: int, branches: int, targets: int, states: int) -> int:
    """The state from which the windows with upper bits *h* come, for targets of group *low*."""
    return h * (states // targets) + low if states >= branches else h // (branches // states)


@compiled
def transform(old: Any, new: Any, choices: Any, low: int, n: int, into: Any, out: Any, offset: int, wanted: Any, cube: Any) -> None:
    """The targets of group *low* by distances in the whole cube of *n* care bits."""
    branches, targets, states = len(into), len(out), len(old)
    corner, metrics = cube.ctypes.data, old.ctypes.data
    cube[: 1 << n] = FAR
    for h in range(branches):
        offer(corner + np.int64(into[h, 0]) * BYTES, metrics + state_before(h, low, branches, targets, states) * BYTES, h)
    for bit in range(0, n, 2):
        stride, point = BYTES << bit, corner
        second = 2 * stride if bit + 1 < n else 0
        while point < corner + (BYTES << n):  # a range with a step that is no constant would divide
            end = point + stride
            while point < end:
                relax(point, stride, second)
                point += BYTES
            point += stride + second
    for t in range(targets):
        pattern = out[t, 0] ^ offset
        for lane in range(LANES):
            best = cube[pattern ^ wanted[0, lane], lane]
            choices[low * targets + t, lane] = best & np.uint32(255)
            new[low * targets + t, lane] = best & ~np.uint32(255)


@compiled
def scan(old: Any, new: Any, choices: Any, low: int, chunks: int, into: Any, out: Any, offset: Any, wanted: Any, scratch: Any) -> None:
    """The targets of group *low* by trying all branches."""
    branches, targets, states = len(into), len(out), len(old)
    best = new[low * targets : (low + 1) * targets]
    best[:] = np.uint32(0xFFFFFFFF)
    target, metrics, goal = best.ctypes.data, old.ctypes.data, wanted.ctypes.data
    first, partial, last = scratch.ctypes.data, scratch.ctypes.data + BYTES, chunks - 1
    for h in range(branches):
        start(first, metrics + state_before(h, low, branches, targets, states) * BYTES, h)
        for t in range(targets):
            metric = first
            for chunk in range(last):
                move(partial, metric, goal + chunk * BYTES, into[h, chunk] ^ out[t, chunk] ^ offset[chunk])
                metric = partial
            nearer(target + t * BYTES, metric, goal + last * BYTES, into[h, last] ^ out[t, last] ^ offset[last])
    for t in range(targets):
        for lane in range(LANES):
            choices[low * targets + t, lane] = best[t, lane] & np.uint32(255)
            best[t, lane] &= ~np.uint32(255)


@compiled
def trace(metrics: Any, choices: Any, k: int, p: int, words: Any) -> None:
    """Follow the choices of each lane back from its best last state, the lowest of equal ones."""
    for lane in range(LANES):
        state = np.int64(0)
        for i in range(1, 1 << k):
            if metrics[i, lane] < metrics[state, lane]:
                state = np.int64(i)
        for step in range(words.shape[1] - 1, -1, -1):
            window = np.int64(choices[step, state, lane]) << k | state
            words[lane, step] = window & ((1 << p) - 1)
            state = window >> p
