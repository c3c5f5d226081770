"""How to add up a step's gains for every window of a trellis: few additions, shared between windows.

The branch metric of a window is the sum of the gains whose mask bit is 1 there. The mask bits come from a table of all windows, so
a plain XOR output and a comparator are the same here.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from golden.params.viterbi import ViterbiParameters


@dataclass(frozen=True)
class Sums:
    """A list of additions over slots; slot 0 holds zero, slots 1 to q the gains of a step.

    Attributes:
        masks: (2**(k + p), q) uint8, the mask bits of every window.
        additions: (n, 2) int32; addition i writes slot ``1 + q + i``, the sum of two lower slots.
        slot: (2**(k + p),) int32, where the branch metric of each window ends up.
    """

    masks: npt.NDArray[np.uint8]
    additions: npt.NDArray[np.int32]
    slot: npt.NDArray[np.int32]

    @cached_property
    def words(self) -> npt.NDArray[np.uint64]:
        """*masks* as little-endian words of 8 bytes: (2**(k + p), q / 8 rounded up) uint64."""
        windows, q = self.masks.shape
        padded = np.zeros((windows, -(-q // 8) * 8), np.uint8)
        padded[:, :q] = self.masks
        return padded.view("<u8").astype(np.uint64)

    @property
    def slots(self) -> int:
        """Number of slots, the zero and the gains included."""
        return 1 + int(self.masks.shape[1]) + len(self.additions)


@lru_cache(maxsize=8)
def sums(parameters: ViterbiParameters) -> Sums:
    """The shortest list of additions for these *parameters* that cutting the outputs into groups of equal size gives."""
    masks = window_masks(parameters)
    rows = np.packbits(masks, axis=1, bitorder="little")
    patterns = [int.from_bytes(row.tobytes(), "little") for row in rows]
    distinct = sorted(set(patterns))
    found = min((_additions(distinct, parameters.q, group) for group in (1, 2, 3, 4, 5, 6, 7, 8)), key=lambda pair: len(pair[0]))
    additions, slots = found
    return Sums(masks, np.array(additions, np.int32).reshape(-1, 2), np.array([slots[pattern] for pattern in patterns], np.int32))


def window_masks(parameters: ViterbiParameters) -> npt.NDArray[np.uint8]:
    """The mask bits of every window: (2**(k + p), q) of 0 and 1."""
    windows = np.arange(1 << parameters.k + parameters.p, dtype=np.uint32)
    masks = np.empty((windows.size, parameters.q), np.uint8)
    for output in range(parameters.q):
        taps = parameters.taps[output * parameters.outputs : (output + 1) * parameters.outputs]
        number = sum((np.bitwise_count(windows & np.uint32(tap)) & 1) << i for i, tap in enumerate(taps))
        masks[:, output] = number if parameters.comparator is None else number < parameters.threshold
    return masks


def _additions(patterns: list[int], q: int, group: int) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """Additions for all *patterns*: first within groups of *group* outputs, then across; and the slot of each pattern."""
    slots = {0: 0} | {1 << j: 1 + j for j in range(q)}
    additions: list[tuple[int, int]] = []

    def slot(pattern: int) -> int:
        if pattern not in slots:
            top = (pattern.bit_length() - 1) // group * group
            low = pattern & (1 << top) - 1
            low = low or pattern & -pattern  # all in one group: split off its lowest output
            pair = slot(low), slot(pattern ^ low)
            additions.append(pair)
            slots[pattern] = q + len(additions)
        return slots[pattern]

    for pattern in patterns:
        slot(pattern)
    return additions, slots
